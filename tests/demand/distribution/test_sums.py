"""Sums over groups of series and spans of days, against the covariance of every pair of series and days written out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.distribution import joint_error
from demand.distribution.joint_error import JointError, error_forms, forms
from demand.distribution.sums import SumForecast, forecast_periods, forecast_sums

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


class Case:
    """Some series of some stores and items, their forecast, a joint error, and the sums that they are in."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.first, days, series = int(rng.integers(1, 60)), int(rng.integers(1, 30)), int(rng.integers(1, 25))
        self.units = rng.gamma(0.5, 4, (series, days)) * (rng.random((series, days)) < 0.8)
        self.store, self.item = rng.integers(0, 4, series), rng.integers(0, 5, series)
        self.group = np.unique(rng.integers(0, 6, series), return_inverse=True)[1]
        relative = rng.gamma(1, 0.01, (4, 4)) * (rng.random((4, 4)) < 0.6)
        self.error = JointError(float(rng.gamma(2, 1)), relative, float(rng.integers(2, 40)), bool(rng.integers(2)))

    def sums(self, **changes: object) -> SumForecast:
        arguments = {name: getattr(self, name) for name in ("error", "units", "first", "store", "item", "group")}
        return forecast_sums(**arguments | changes)  # type: ignore[arg-type]


CASES = st.integers(0, 10**6).map(Case)
EXAMPLES = settings(deadline=None, max_examples=60)


def covariance(case: Case, errors: tuple[int, ...] = (0, 1, 2, 3)) -> np.ndarray:
    """(S, D, S, D) of all sales, in single loops: the independent oracle."""
    series, days = case.units.shape
    whole = np.zeros((series, days, series, days))
    for s in range(series):
        for t in range(series):
            same = (True, case.store[s] == case.store[t], case.item[s] == case.item[t], s == t)
            for h in range(days):
                for k in range(days):
                    memories = (h == k, np.exp(-abs(h - k) / 7), 1, (case.first + min(h, k)) / 28)
                    shared = sum(case.error.relative[e] @ memories for e in errors if same[e])
                    whole[s, h, t, k] = case.units[s, h] * case.units[t, k] * shared
    return whole


@settings(deadline=None, max_examples=25)
@given(CASES)
def test_the_variance_is_that_of_all_pairs(case: Case) -> None:
    if case.units.size > 200:
        case.units = case.units[:, :max(200 // len(case.units), 1)]
    pairs, common = covariance(case), covariance(case, (0,))
    got = case.sums()
    for group in range(int(case.group.max()) + 1):
        own = case.group == group
        mean = case.units[own].sum()
        variance = case.error.counting * mean + pairs[own][:, :, own].sum()
        np.testing.assert_allclose([got.mean[group], got.variance[group]], [mean, variance], rtol=1e-9, atol=1e-12)
        shared = common[own][:, :, own].sum()
        if shared > 1e-6 * variance:
            np.testing.assert_allclose(got.freedom[group], case.error.spells * (variance / shared) ** 2, rtol=1e-9)
    by_error = error_forms(case.units, case.first, case.store, case.item, case.group)
    relative = (by_error * case.error.relative).sum(axis=(1, 2))
    np.testing.assert_allclose(got.variance, case.error.counting * got.mean + relative, rtol=1e-9, atol=1e-12)


@EXAMPLES
@given(CASES, st.integers(1, 8))
def test_periods_are_sums_of_their_days(case: Case, length: int) -> None:
    starts = np.arange(0, case.units.shape[1], length)
    got = forecast_periods(case.error, case.units, case.first, case.store, case.item, starts)
    for k, (start, end) in enumerate(pairwise([*starts.tolist(), case.units.shape[1]])):
        one = case.sums(units=case.units[:, start:end], first=case.first + start, group=np.zeros_like(case.group))
        for name in ("mean", "variance", "freedom"):
            np.testing.assert_allclose(getattr(got, name)[k], getattr(one, name)[0], rtol=1e-9, atol=1e-12)


@EXAMPLES
@given(CASES)
def test_one_day_of_one_series(case: Case) -> None:
    """Its relative variances add up: the walk has gone on since the origin."""
    alone = np.arange(len(case.units))
    got = case.sums(units=case.units[:, :1], group=alone)
    f, relative = case.units[:, 0], case.error.relative.sum(axis=0)
    np.testing.assert_allclose(
        got.variance, case.error.counting * f + f**2 * (relative @ [1, 1, 1, case.first / 28]), rtol=1e-9, atol=1e-12)


@EXAMPLES
@given(CASES)
def test_a_sum_is_no_wider_than_its_parts_side_by_side(case: Case) -> None:
    """The standard deviation of a sum is at most the sum of those of its parts, which it would be if they moved as one."""
    whole, parts = case.sums(group=np.zeros_like(case.group)), case.sums()
    assert np.isclose(whole.mean[0], parts.mean.sum())
    assert np.sqrt(whole.variance[0]) <= np.sqrt(parts.variance).sum() * (1 + 1e-9) + 1e-9
    assert whole.variance[0] >= parts.variance.sum() * (1 - 1e-9) - 1e-9, "errors that are shared do not cancel"


@EXAMPLES
@given(CASES, st.integers(1, 6))
def test_days_of_nothing_and_the_order_of_series_change_nothing(case: Case, days: int) -> None:
    plain = case.sums()
    order = np.random.default_rng(days).permutation(len(case.units))
    wide = np.hstack([case.units, np.zeros((len(case.units), days))])[order]
    same = case.sums(units=wide, store=case.store[order], item=case.item[order], group=case.group[order])
    for name in ("mean", "variance", "freedom"):
        np.testing.assert_allclose(getattr(same, name), getattr(plain, name), rtol=1e-9, atol=1e-12)


@EXAMPLES
@given(CASES)
def test_quantiles_rise_and_each_row_may_have_its_own(case: Case) -> None:
    sums = case.sums()
    quantiles = sums.quantiles(LEVELS)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()
    assert (quantiles[sums.mean == 0] == 0).all()
    own = np.resize(LEVELS, len(sums.mean))
    np.testing.assert_array_equal(sums.quantiles(own[:, None])[:, 0],
                                  quantiles[np.arange(len(own)), np.arange(len(own)) % len(LEVELS)])


def test_many_series_are_added_up_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case(seed) for seed in range(20)]
    whole = [case.sums().variance for case in cases]
    monkeypatch.setattr(joint_error, "BLOCK", 1)
    for case, variance in zip(cases, whole, strict=True):
        np.testing.assert_allclose(case.sums().variance, variance, rtol=1e-12)


def test_no_series_have_no_sums() -> None:
    none = np.zeros(0, int)
    sums = forecast_sums(JointError(1.0, np.ones((4, 4)), 9.0, True), np.zeros((0, 7)), 1, none, none, none)
    assert sums.quantiles(LEVELS).shape == (0, len(LEVELS))


@pytest.mark.parametrize("whole", [True, False])
def test_the_sum_of_what_is_drawn_is_covered(whole: bool) -> None:
    """Sales drawn day by day with each of the errors; 80 % intervals of their sums hold 80 %."""
    rng = np.random.default_rng(0)
    relative = np.zeros((4, 4))
    relative[0, 2], relative[1, 0], relative[2, 1], relative[3, 3] = 0.004, 0.01, 0.01, 0.01
    units = rng.uniform(2, 8, (6, 14))
    store, item = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    days = np.arange(14)
    week, walk = np.exp(-np.abs(days[:, None] - days) / 7), (1 + np.minimum.outer(days, days)) / 28
    draws = 4000
    error = (np.sqrt(0.004) * rng.standard_normal((draws, 1, 1))
             + 0.1 * rng.standard_normal((draws, 2, 14))[:, store]
             + 0.1 * rng.multivariate_normal(np.zeros(14), week, (draws, 3))[:, item]
             + 0.1 * rng.multivariate_normal(np.zeros(14), walk, (draws, 6)))
    sales = rng.poisson(np.maximum(units * (1 + error), 0)).sum(axis=(1, 2))
    zeros = np.zeros(6, int)
    low, high = forecast_sums(JointError(1.0, relative, 1e9, whole), units, 1, store, item, zeros).quantiles((0.1, 0.9))[0]
    assert 0.78 <= ((sales >= low) & (sales <= high)).mean() <= 0.82


def test_forms_are_those_of_the_kernels() -> None:
    rng = np.random.default_rng(3)
    weight, day = rng.random((5, 9)), 4 + np.arange(9)
    gap = np.abs(day[:, None] - day)
    kernels = (np.eye(9), np.exp(-gap / 7), np.ones((9, 9)), np.minimum.outer(day, day) / 28)
    np.testing.assert_allclose(forms(weight, 4), np.stack([np.diag(weight @ k @ weight.T) for k in kernels], axis=1), rtol=1e-12)
