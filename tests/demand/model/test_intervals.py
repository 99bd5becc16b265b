"""Intervals: known spreads are found again, and cover what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from demand.backtest.scores import coverage
from demand.model.intervals import NORMAL, Dispersion, fit_dispersion, variance


@pytest.mark.parametrize(("counting", "relative"), [(1.0, 0.0), (1.0, 0.02), (0.0, 0.04)])
def test_the_spread_is_found(counting: float, relative: float) -> None:
    rng = np.random.default_rng(0)
    forecast = rng.uniform(10, 400, 60_000)
    actual = rng.normal(forecast, np.sqrt(counting * forecast + relative * forecast**2))
    a, b = variance(actual, forecast)
    expected = counting * 200 + relative * 200**2
    assert a * 200 + b * 200**2 == pytest.approx(expected, rel=0.05)


def test_coverage_of_fresh_days_in_every_month() -> None:
    rng = np.random.default_rng(1)

    def draw() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        horizon = rng.integers(1, 91, 40_000)
        forecast = rng.uniform(60, 200, 40_000)
        wider = 1 + (horizon - 1) // 30  # each month is noisier than the one before
        return rng.normal(forecast, wider * np.sqrt(forecast)), forecast, horizon

    spread = fit_dispersion(*draw(), common=0.0)
    actual, forecast, horizon = draw()
    for month in range(3):
        own = (horizon - 1) // 30 == month
        at = spread.at(forecast[own], horizon[own])
        for level, tolerance in ((80, 1), (95, 0.6)):
            low, high = at[(100 - level) / 200], at[(100 + level) / 200]
            assert coverage(actual[own], low, high) == pytest.approx(level, abs=tolerance)


def test_a_common_error_widens_but_does_not_shift() -> None:
    rng = np.random.default_rng(2)
    forecast = rng.uniform(20, 200, 20_000)
    actual = rng.poisson(1.2 * forecast).astype(float)
    horizon = np.ones(20_000, int)
    narrow, wide = (fit_dispersion(actual, forecast, horizon, common).at(forecast, horizon) for common in (0.0, 0.1))
    middle = [(at[0.1] + at[0.9]) / 2 for at in (narrow, wide)]
    assert (np.abs(middle[0] / forecast - 1) < 0.05).all(), "a level error of this one origin says nothing about the next"
    assert (wide[0.9] - wide[0.1] > narrow[0.9] - narrow[0.1]).all()


def test_days_on_which_sales_were_ruled_out_do_not_widen_the_others() -> None:
    """A month that was seen with zeros only: its forecasts are next to 0, whatever comes."""
    rng = np.random.default_rng(3)
    forecast = rng.uniform(20, 200, 20_000)
    actual, horizon = rng.poisson(forecast).astype(float), np.ones(20_000, int)
    expected = fit_dispersion(actual[2_000:], forecast[2_000:], horizon[2_000:], 0.0).at(np.array([50.0]), np.array([1]))
    forecast[:2_000] = 1e-6 * actual[:2_000]
    assert fit_dispersion(actual, forecast, horizon, 0.0).at(np.array([50.0]), np.array([1])) == expected


def test_too_few_days_fall_back_to_the_normal() -> None:
    none = np.empty(0)
    spread = fit_dispersion(none, none, none, common=0.05)
    at = spread.at(np.array([[100.0]]), np.array([1]))
    assert at[0.025] < at[0.1] < 100 < at[0.9] < at[0.975]


def test_low_ends_are_never_negative() -> None:
    spread = Dispersion(1.0, 0.0, 0.0, np.array([NORMAL]))
    assert spread.at(np.array([[0.5, 0.0]]), np.array([1, 2]))[0.025].min() == 0
