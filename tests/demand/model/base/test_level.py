"""The level of the base forecast, and which one an inner backtest prefers."""

from __future__ import annotations

import numpy as np
import pytest

from demand.model.base.factors import Factors, fit_factors
from demand.model.base.level import DAMPING, KINDS, WANDERING, global_level, level_at
from demand.model.base.level_choice import TESTS, inner_backtest, level_weights
from demand.model.base.seasonal_sums import SeasonalSums
from demand.panel.calendar import YEAR
from tests.support.panels import noisy, panel, ready, shaped


def designed(sales: np.ndarray) -> tuple[Factors, SeasonalSums]:
    whole = ready(panel(sales))
    factors = fit_factors(whole)
    return factors, SeasonalSums(whole, factors.seasonal_factor(whole))


def test_growth_of_an_exact_panel() -> None:
    factors, design = designed(shaped(days=1200, growth=0.10))
    at = global_level(factors, design, 1199)
    assert at.growth == pytest.approx(0.10 * 364 / 365.25, abs=0.01)
    assert level_at({"structural": 1.0}, factors, design, 1199).growth == pytest.approx(DAMPING * at.growth)
    assert level_at({"level": 1.0}, factors, design, 1199).growth == 0


def test_growth_is_not_guessed_from_a_short_history() -> None:
    factors, design = designed(shaped(days=YEAR + 60, growth=0.5))
    assert global_level(factors, design, YEAR + 59).growth == 0


def test_steady_series_move_together() -> None:
    """With nothing but chance between the series, the level of each follows the common one, not its own noise."""
    rng = np.random.default_rng(0)
    sales = rng.poisson(30 * np.ones((40, 1100))).astype("f4")
    factors, design = designed(sales)
    at = level_at({"structural": 1.0}, factors, design, 1099).level
    own = design.level_before(np.arange(40), np.full(40, 1100), YEAR, np.full(40, 1100))
    assert np.abs(at - factors.scale).max() < np.abs(own - factors.scale).max()
    assert at.std() < 0.75 * own.std()


def test_the_inner_backtest_prefers_what_fits() -> None:
    rng = np.random.default_rng(0)
    steady = noisy(shaped(20, 1200))
    steps = np.exp(np.cumsum(rng.normal(0, 0.4, (20, 12)), axis=1)).repeat(100, axis=1)
    for sales, better, worse in ((steady, "structural", "level"), (noisy(shaped(20, 1200) * steps), "level", "structural")):
        factors, design = designed(sales)
        tests = inner_backtest(factors, design, 1199, 90)
        assert tests[better].error < tests[worse].error
        weights = level_weights(tests)
        assert sum(weights.values()) == pytest.approx(1)
        assert weights.get(worse, 0) < 0.06
        assert all(test.origins == TESTS for test in tests.values())


def test_nothing_after_the_origin_moves_the_level() -> None:
    sales = noisy(shaped(5, 900))
    spoiled = sales.copy()
    spoiled[:, 701:] *= 5
    factors = fit_factors(panel(sales))
    whole, other = ready(panel(sales)), ready(panel(spoiled))
    for kind in KINDS:
        a, b = (level_at({kind: 1.0}, factors, SeasonalSums(p, factors.seasonal_factor(p)), 700) for p in (whole, other))
        np.testing.assert_array_equal(a.level, b.level)
        assert a.growth == b.growth


def test_a_series_without_sales_has_the_level_of_its_peers_or_none() -> None:
    whole = ready(panel(np.vstack([shaped(2, 800), np.zeros((1, 800))])))
    whole.status[2, :800] = 2
    factors = fit_factors(whole)
    for kind in KINDS:
        level = level_at({kind: 1.0}, factors, SeasonalSums(whole, factors.seasonal_factor(whole)), 799).level
        assert (level[2] > 0) == (kind in WANDERING)  # they know its peers
        assert (level[:2] > 0).all()
