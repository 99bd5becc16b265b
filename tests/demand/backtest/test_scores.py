"""Every error measure: by hand, against plain loops, and as it behaves on any numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from demand.backtest import scores

ACTUAL = np.array([[10.0, 0.0, 5.0, np.nan], [0.0, 8.0, 4.0, 2.0]])
FORECAST = np.array([[8.0, 0.0, 6.0, 3.0], [1.0, 8.0, 2.0, 4.0]])


def units(shape: tuple[int, ...] = (3, 8)) -> st.SearchStrategy[np.ndarray]:
    """Sales and forecasts: whole numbers, so that sums are exact; some days unknown."""
    return arrays("f8", shape, elements=st.integers(0, 500).map(float))


def unknown(shape: tuple[int, ...] = (3, 8)) -> st.SearchStrategy[np.ndarray]:
    return arrays("bool", shape)


def test_by_hand():
    found = scores.errors(ACTUAL, FORECAST)  # errors: -2, 0, 1, -, 1, 0, -2, 2
    assert found["n"] == 7
    assert found["mae"] == pytest.approx(8 / 7)
    assert found["rmse"] == pytest.approx(math.sqrt(14 / 7))
    assert found["mape_zeros"] == 2
    assert found["mape"] == pytest.approx(100 * (2 / 10 + 1 / 5 + 0 + 2 / 4 + 2 / 2) / 5)
    assert found["smape"] == pytest.approx(200 * (2 / 18 + 0 + 1 / 11 + 1 + 0 + 2 / 6 + 2 / 6) / 7)
    assert found["wape"] == pytest.approx(100 * 8 / 29)
    assert found["bias"] == pytest.approx(0)


def test_nothing_known_and_nothing_sold():
    assert scores.errors(np.full((2, 3), np.nan), np.ones((2, 3))) == {"n": 0}
    found = scores.errors(np.zeros((2, 3)), np.zeros((2, 3)))
    assert (found["mae"], found["smape"], found["wape"], found["mape_zeros"]) == (0, 0, 0, 6)
    assert math.isnan(found["mape"])


def test_mase_by_hand():
    history = np.array([[1.0, 2, 3, 4, 5, 6, 7, 3, np.nan, 7]])  # a week apart: 1 to 3, 2 to unknown, 3 to 7
    scale = scores.naive_scale(history)
    np.testing.assert_allclose(scale, [3])
    assert scores.mase(np.array([[4.0, np.nan]]), np.array([[10.0, 1.0]]), scale) == pytest.approx(2)


def test_series_that_never_change_are_left_out_of_mase():
    scale = scores.naive_scale(np.array([[5.0] * 20, [float(day) for day in range(20)], [np.nan] * 20]))
    np.testing.assert_array_equal(scale, [0, 7, np.nan])
    actual = np.array([[1.0], [10.0], [1.0]])
    assert scores.mase(actual, actual + 14, scale) == pytest.approx(2)
    assert math.isnan(scores.mase(actual[[0, 2]], actual[[0, 2]], scale[[0, 2]]))


def test_pinball_by_hand():
    actual = np.array([10.0, 10.0, np.nan])
    assert scores.pinball(actual, np.array([8.0, 14.0, 3.0]), 0.9) == pytest.approx((0.9 * 2 + 0.1 * 4) / 2)
    assert scores.pinball(actual, np.array([8.0, 14.0, 3.0]), 0.5) == pytest.approx((2 + 4) / 2 / 2)


def test_coverage_counts_both_ends():
    actual = np.array([[1.0, 2.0, 3.0, 4.0, np.nan]])
    assert scores.coverage(actual, np.full((1, 5), 2.0), np.full((1, 5), 3.0)) == pytest.approx(50)
    assert math.isnan(scores.coverage(np.array([np.nan]), np.zeros(1), np.ones(1)))


@given(units(), units(), unknown())
def test_errors_against_loops(actual: np.ndarray, forecast: np.ndarray, hidden: np.ndarray):
    actual[hidden] = np.nan
    pairs = [(y, f) for y, f in zip(actual.ravel(), forecast.ravel(), strict=True) if y == y]
    found = scores.errors(actual, forecast)
    assert found["n"] == len(pairs)
    if not pairs:
        return
    assert found["mae"] == pytest.approx(sum(abs(f - y) for y, f in pairs) / len(pairs))
    assert found["rmse"] == pytest.approx(math.sqrt(sum((f - y) ** 2 for y, f in pairs) / len(pairs)))
    assert found["smape"] == pytest.approx(sum(200 * abs(f - y) / (y + f) if y + f else 0 for y, f in pairs) / len(pairs))
    sold = [(y, f) for y, f in pairs if y]
    assert found["mape_zeros"] == len(pairs) - len(sold)
    if sold:
        assert found["mape"] == pytest.approx(sum(100 * abs(f - y) / y for y, f in sold) / len(sold))
        assert found["wape"] == pytest.approx(100 * sum(abs(f - y) for y, f in pairs) / sum(y for y, _ in pairs))
        assert found["bias"] == pytest.approx(100 * sum(f - y for y, f in pairs) / sum(y for y, _ in pairs))


@given(units(), units(), st.sampled_from([0.5, 2.0, 8.0]))
def test_scaled_sales_scale_the_errors_in_units_and_no_other(actual: np.ndarray, forecast: np.ndarray, scale: float):
    actual[0, 0] = 1  # something is sold
    before, after = scores.errors(actual, forecast), scores.errors(scale * actual, scale * forecast)
    for name in ("mae", "rmse"):
        assert after[name] == pytest.approx(scale * before[name])
    for name in ("mape", "smape", "wape", "bias", "mape_zeros", "n"):
        assert after[name] == pytest.approx(before[name])


@given(units(), units(), st.randoms())
def test_the_order_of_days_and_series_does_not_matter(actual: np.ndarray, forecast: np.ndarray, random: object):
    order = list(range(actual.size))
    random.shuffle(order)  # type: ignore[attr-defined]
    before, after = scores.errors(actual, forecast), scores.errors(actual.ravel()[order], forecast.ravel()[order])
    assert after == pytest.approx(before, nan_ok=True)


@given(units(), units(), st.floats(0.01, 0.99))
def test_pinball_against_loops(actual: np.ndarray, quantile: np.ndarray, level: float):
    losses = [level * (y - q) if y >= q else (1 - level) * (q - y) for y, q in zip(actual.ravel(), quantile.ravel(), strict=True)]
    assert scores.pinball(actual, quantile, level) == pytest.approx(sum(losses) / len(losses))


def test_pinball_is_least_at_the_quantile():
    draws = np.random.default_rng(0).normal(50, 10, 20_000)
    candidates = np.linspace(30, 70, 81)
    best = min(candidates, key=lambda q: scores.pinball(draws, np.full_like(draws, q), 0.8))
    assert best == pytest.approx(np.quantile(draws, 0.8), abs=0.5)


@given(arrays("f8", (2, 30), elements=st.integers(0, 50).map(float)), unknown((2, 30)))
def test_naive_scale_against_loops(history: np.ndarray, hidden: np.ndarray):
    history[hidden] = np.nan
    for row, scale in zip(history, scores.naive_scale(history), strict=True):
        steps = [abs(row[d] - row[d - 7]) for d in range(7, 30) if row[d] == row[d] and row[d - 7] == row[d - 7]]
        assert scale == pytest.approx(sum(steps) / len(steps) if steps else math.nan, nan_ok=True)
