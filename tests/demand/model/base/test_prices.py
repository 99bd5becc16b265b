"""Prices: what counts is a price beside the item's own usual one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.model.base.prices import as_discounts, price_names
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.support.panels import TRAIN, noisy, panel

HORIZON = 28
ELASTICITY = 2.0


def priced(seed: int = 0, days: int = 500, series: int = 15) -> tuple[Panel, np.ndarray]:
    """A panel with prices from 0.5 to 50 and discounts now and then, and its mean (S, D); no sales in the last HORIZON days."""
    rng = np.random.default_rng(seed)
    usual = np.exp(rng.uniform(np.log(0.5), np.log(50), (series, 1)))
    discount = np.where(np.repeat(rng.random((series, days // 7 + 1)) < 0.2, 7, axis=1)[:, :days], 0.25, 0)
    price = usual * (1 - discount)
    mean = rng.uniform(5, 40, (series, 1)) * (1 - discount) ** -ELASTICITY
    whole = panel(noisy(mean), known={"price": price, "promo": (discount > 0).astype(float)})
    return whole.through(whole.dates[-HORIZON - 1]), mean


def only_price(whole: Panel) -> Panel:
    return replace(whole, known=whole.known[:, :, :1], known_names=("price",))


def test_flags_and_opening_days_are_no_prices() -> None:
    whole, _ = priced()
    assert price_names(whole) == ("price",)
    ones = np.ones((*whole.sales.shape, 1), "f4")
    assert price_names(replace(whole, known=ones, known_names=("open",))) == ()


def test_the_effect_of_a_discount_is_found_whatever_an_item_costs() -> None:
    whole, mean = priced()
    whole = only_price(whole)
    point = DemandModel.fit(whole, TRAIN, HORIZON).predict(whole, whole.last_day, HORIZON).point
    error = np.abs(point - mean[:, -HORIZON:]).sum() / mean[:, -HORIZON:].sum()
    assert error < 0.06


def test_the_currency_does_not_matter() -> None:
    whole, _ = priced(series=6, days=300)
    whole = only_price(whole)
    cents = whole.known * np.float32(64)
    points = [DemandModel.fit(one, TRAIN, HORIZON).predict(one, one.last_day, HORIZON).point
              for one in (whole, replace(whole, known=cents))]
    np.testing.assert_allclose(points[1], points[0], rtol=1e-3)


def test_a_missing_price_is_the_last_one() -> None:
    whole, _ = priced(series=2, days=60)
    whole = only_price(whole)
    known = whole.known.copy()
    known[:, 50:] = np.nan
    filled = as_discounts(replace(whole, known=known), ("price",)).known[:, :, 0]
    expected = np.log(whole.known[:, :1, 0] / whole.known[:, :50, 0])
    np.testing.assert_allclose(filled[:, :50], expected, atol=1e-6)
    np.testing.assert_allclose(filled[:, 50:], np.repeat(filled[:, 49:50], len(filled[0, 50:]), axis=1), atol=1e-6)
