"""The factor model against data whose factors are known, and against its symmetries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demand.model.base.factors import SEASON_NEEDS, fit_factors, smooth_ratio
from demand.model.base.shrinkage import shrink
from tests.support.panels import WEEKDAY, noisy, panel, shaped


def test_exact_factors_are_found() -> None:
    mean = shaped(days=1096)
    factors = fit_factors(panel(mean))
    np.testing.assert_allclose(factors.weekday[0], WEEKDAY / WEEKDAY.mean(), rtol=0.01)
    month = 1 + 0.3 * np.sin(2 * np.pi * np.arange(12) / 12)
    np.testing.assert_allclose(factors.month[-1], month / month.mean(), rtol=0.06)  # some of the season looks like trend
    fitted = factors.scale[:, None] * factors.seasonal_factor(panel(mean))
    assert np.corrcoef(fitted.ravel(), mean.ravel())[0, 1] > 0.999


def test_a_short_history_has_no_season() -> None:
    factors = fit_factors(panel(shaped(days=SEASON_NEEDS - 1)))
    assert (factors.month == 1).all()


def test_scale_and_order_do_not_matter() -> None:
    sales = noisy(shaped())
    whole = panel(sales)
    factors, doubled = fit_factors(whole), fit_factors(panel(2 * sales))
    np.testing.assert_allclose(doubled.scale, 2 * factors.scale, rtol=1e-4)
    np.testing.assert_allclose(doubled.weekday, factors.weekday, rtol=1e-4)
    order = np.random.default_rng(1).permutation(len(sales))
    mixed = fit_factors(replace(whole, store=whole.store[order], item=whole.item[order], sales=whole.sales[order],
                                   status=whole.status[order]))
    np.testing.assert_allclose(mixed.month[:-1], factors.month[:-1][order], rtol=1e-5)
    np.testing.assert_allclose(mixed.weekday[:-1], factors.weekday[:-1][order], rtol=1e-5)


def test_filled_and_future_days_teach_nothing() -> None:
    whole = panel(noisy(shaped()))
    status = whole.status.copy()
    status[:, 300:320] = 2  # filled
    spoiled = whole.sales.copy()
    spoiled[:, 300:320] = 1e6
    a = fit_factors(replace(whole, status=status))
    b = fit_factors(replace(whole, status=status, sales=spoiled))
    np.testing.assert_array_equal(a.seasonal_factor(whole), b.seasonal_factor(whole))


def test_series_that_were_not_fitted_take_the_common_factors() -> None:
    whole = panel(noisy(shaped()))
    factors = fit_factors(whole)
    stranger = replace(whole, item=whole.item + 100)
    assert (factors.rows(stranger) == len(factors.scale)).all()
    assert (factors.scale_of(stranger) == 0).all()
    np.testing.assert_array_equal(factors.seasonal_factor(stranger)[0], factors.seasonal_factor(stranger)[-1])


def test_shrinkage_by_hand() -> None:
    sold, due = np.array([110.0, 90.0]), np.array([100.0, 100.0])
    distance, chance = np.log([1.1, 0.9]), 1 / 100
    spread = (distance**2 - chance).mean()
    assert spread < 0.001, "ten per cent of a hundred is what chance gives"
    np.testing.assert_allclose(shrink(sold, due, noise=1), np.exp(distance * spread / (spread + chance)), rtol=1e-9)
    np.testing.assert_allclose(shrink(100 * sold, 100 * due, noise=1), [1.1, 0.9], rtol=0.01)
    np.testing.assert_array_equal(shrink(sold, due, noise=1000), [1, 1])


@pytest.mark.parametrize("half", [0, 3, 45])
def test_smooth_ratio_against_a_loop(half: int) -> None:
    rng = np.random.default_rng(half)
    sold, due = rng.uniform(1, 9, 60), rng.uniform(1, 9, 60)
    expected = [sold[max(d - half, 0) : d + half + 1].sum() / due[max(d - half, 0) : d + half + 1].sum() for d in range(60)]
    np.testing.assert_allclose(smooth_ratio(sold, due, half), expected)


def test_the_effect_of_a_planned_column_is_found_and_not_extrapolated() -> None:
    rng = np.random.default_rng(0)
    mean = shaped(days=800)
    promo, price = rng.random(mean.shape) < 0.3, rng.uniform(0.8, 1.2, mean.shape)
    sales = noisy(mean * np.where(promo, 1.5, 1) * price**-1.0)
    whole = panel(sales, known={"promo": promo, "price": price, "open": np.ones(mean.shape)})
    factors = fit_factors(whole)
    np.testing.assert_allclose(factors.effect, [np.log(1.5), -1.0, 0.0], atol=0.05)
    far = replace(whole, known=np.where(np.arange(3) == 1, 50.0, whole.known).astype("f4"))
    assert (factors.seasonal_factor(far) > 0.5 * factors.seasonal_factor(whole).min()).all()
