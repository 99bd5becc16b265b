"""Runs of days without a sale: when they are off sale, what they teach, and when a series comes back."""

from __future__ import annotations

from dataclasses import replace
from math import exp, lgamma

import numpy as np
import pytest

from demand.model.base.log_gamma import log_gamma
from demand.model.base.off_sale import (
    OffSaleRates,
    chance_on_sale,
    fit_off_sale,
    judged,
    off_odds,
    store_trades,
    without_off_sale,
)
from demand.model.demand_model import DemandModel
from demand.panel.panel import CLOSED, FILLED, Panel
from demand.planning.forecast_table import off_sale_message
from tests.support.panels import TRAIN, noisy, panel, ready

RATES = OffSaleRates()


def gone(level: float, days: int, total: int = 500, series: int = 6) -> Panel:
    """Series that sell `level` a day; the first sells nothing on the last `days`."""
    sales = np.random.default_rng(0).poisson(level, (series, total))
    sales[0, total - days:] = 0
    sales[0, total - days - 1] = 1
    return panel(sales)


def test_log_gamma_against_the_standard_library() -> None:
    values = np.array([0.5, 1, 1.5, 2, 7.3, 40, 1e4])
    np.testing.assert_allclose(log_gamma(values), [lgamma(x) for x in values], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("seen", "with_sale", "days"), [(84, 3, 10), (84, 12, 30), (20, 15, 9)])
def test_odds_against_a_sum_over_the_day_of_leaving(seen: int, with_sale: int, days: int) -> None:
    a, b = with_sale + 1.5, seen - with_sale + 0.5

    def silence(n: int) -> float:
        return exp(lgamma(b + n) + lgamma(a + b) - lgamma(b) - lgamma(a + b + n))

    expected = 0.001 * sum(silence(n) for n in range(days)) / silence(days)
    got = off_odds(np.array([seen]), np.array([with_sale]), np.array([days]), 0.001)
    assert got[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("level", "days", "off"), [(8, 6, False), (8, 8, True), (1, 8, False), (1, 21, True), (0.05, 40, False)])
def test_the_faster_a_series_sold_the_sooner_it_is_off_sale(level: float, days: int, off: bool) -> None:
    whole = gone(level, days)
    runs = judged(whole, 499, RATES)
    assert bool((runs.off & runs.lasts & (runs.series == 0)).any()) == off
    others, _ = without_off_sale(whole, 499, RATES)
    if level >= 1:
        np.testing.assert_array_equal(others.sales[1:], whole.sales[1:])
    assert (others.status[0, 500 - days:] == FILLED).all() == off
    assert off or others is whole or level < 1


def test_a_planned_closure_is_no_evidence() -> None:
    whole = gone(8, 20)
    plan = np.ones(whole.sales.shape)
    plan[0, -20:] = 0
    whole = replace(whole, known=plan[:, :, None].astype("f4"), known_names=("open",))
    whole.status[0, -20:] = CLOSED
    assert not judged(whole, 499, RATES).off.any()


def test_nothing_after_the_origin_is_looked_at() -> None:
    whole = gone(8, 40)
    shown = without_off_sale(whole, 470, RATES)[0]
    assert (shown.status[0, 461:471] == FILLED).all()
    np.testing.assert_array_equal(shown.sales[:, 471:], whole.sales[:, 471:])


def test_who_is_gone_for_long_seldom_comes_back() -> None:
    chances = []
    for days in (10, 60, 400):
        whole = gone(8, days, total=900)
        chances.append(chance_on_sale(judged(whole, 899, RATES), 6, 28, RATES))
    assert (chances[0][1:] == 1).all()
    assert chances[0][0, -1] > chances[1][0, -1] > chances[2][0, -1]
    assert (np.diff(chances[0][0]) >= 0).all()
    assert chances[2][0, 0] == 0


def test_hazards_of_return_are_learnt() -> None:
    sales = np.random.default_rng(0).poisson(6, (10, 900))
    for start in range(60, 850, 80):
        sales[:, start:start + 20] = 0
    quick = fit_off_sale(panel(sales), 899)
    assert quick.comeback[1] > 2 * RATES.comeback[1]
    assert quick.leave > fit_off_sale(panel(np.full((10, 900), 6)), 899).leave


def test_an_ended_item_sells_nothing_and_a_stock_out_does_not_lower_its_level() -> None:
    mean = np.full((8, 700), 9.0)
    sales = noisy(mean)
    sales[0, 300:] = 0  # ended
    sales[1, 600:680] = 0  # out of stock, and back
    whole = ready(panel(sales), 28)
    point = DemandModel.fit(whole, TRAIN, 28).predict(whole, whole.last_day, 28).point
    assert point[0].sum() < 0.01 * point[2:].sum(axis=1).mean()
    assert point[1].mean() == pytest.approx(9, rel=0.15)


def without_rows(whole: Panel, series: np.ndarray, days: int) -> Panel:
    """The panel without the rows of some series on its last days; what prepare fills in is what was sold."""
    status = whole.status.copy()
    status[series, -days:] = FILLED
    return replace(whole, status=status)


def test_a_series_without_rows_ends_where_its_store_goes_on() -> None:
    whole = without_rows(panel(noisy(np.full((10, 700), 9.0))), np.array([0]), 300)
    ahead = ready(whole, 28)
    made = DemandModel.fit(ahead, TRAIN, 28).predict(ahead, whole.last_day, 28)
    assert made.point[0].sum() < 0.01 * made.point[1:].sum(axis=1).mean()
    assert (made.low[80][0] == 0).all()


def test_a_store_without_rows_says_nothing_of_its_series() -> None:
    """A feed that is late: no series of the store, or all but one of them, has rows."""
    for silent in (np.arange(5), np.arange(4)):
        whole = without_rows(panel(noisy(np.full((10, 700), 9.0))), silent, 20)
        assert not store_trades(whole)[0, -20:-8].any()
        ahead = ready(whole, 28)
        point = DemandModel.fit(ahead, TRAIN, 28).predict(ahead, whole.last_day, 28).point
        np.testing.assert_allclose(point.mean(axis=1), 9, rtol=0.12)


def test_an_item_alone_in_its_store_is_missed_by_nobody() -> None:
    whole = without_rows(replace(panel(noisy(np.full((3, 500), 9.0))), store=np.arange(3)), np.array([0]), 30)
    assert not judged(whole, 499, RATES).off.any()


def test_listings_that_return_have_a_hazard_of_their_own() -> None:
    whole = panel(np.random.default_rng(0).poisson(6, (10, 900)))
    status = whole.status.copy()
    for start in range(60, 850, 80):
        status[0, start:start + 20] = FILLED
    rates = fit_off_sale(replace(whole, status=status), 899)
    assert rates.relisted[1] > 1.2 * RATES.relisted[1]
    np.testing.assert_allclose(rates.comeback, RATES.comeback)


def test_the_forecast_names_the_series_that_are_off_sale() -> None:
    whole = gone(8, 40)
    model = DemandModel.fit(ready(whole, 28), TRAIN, 28)
    since = model.off_sale_since(whole, whole.last_day)
    assert np.isnat(since).tolist() == [False] + [True] * 5
    assert since[0] == whole.dates[-40]
    message = off_sale_message(whole, since)
    assert message.startswith("1 series is judged off sale")
    assert f"store 1, item 1 since {whole.dates[-40]}" in message
    assert off_sale_message(whole, np.full(6, np.datetime64("NaT"), "M8[D]")) == ""
