"""The joint error, fitted to errors whose variances are known."""

from __future__ import annotations

import numpy as np
import pytest

from demand.distribution.groups import LEVELS, Groups
from demand.distribution.joint_error import JointError, variances
from demand.distribution.joint_error_fit import PRIOR_LEVEL, PRIOR_SPELLS, PRIOR_WALK, PastErrors, fit_joint_error

STORES, ITEMS, HORIZON, ORIGINS = 6, 12, 60, 60
KERNELS = {
    "day": np.eye(HORIZON), "week": np.exp(-np.abs(np.subtract.outer(np.arange(HORIZON), np.arange(HORIZON))) / 7),
    "level": np.ones((HORIZON, HORIZON)), "walk": np.minimum.outer(np.arange(1, HORIZON + 1), np.arange(1, HORIZON + 1)) / 28}
TRUTH = {("all", "walk"): 0.03**2, ("store", "week"): 0.05**2, ("item", "level"): 0.04**2, ("series", "day"): 0.10**2}


def simulated(rng: np.random.Generator, truth: dict[tuple[str, str], float]) -> PastErrors:
    """One origin: relative errors drawn from the covariances, and Poisson noise."""
    groups = Groups.of(np.repeat(np.arange(STORES), ITEMS), np.tile(np.arange(ITEMS), STORES))
    forecast = rng.gamma(4, 10, (STORES * ITEMS, 1)) * np.ones(HORIZON)
    relative = np.zeros_like(forecast)
    for (level, memory), variance in truth.items():
        group = groups.by(level)
        draws = rng.multivariate_normal(np.zeros(HORIZON), variance * KERNELS[memory] + 1e-12 * np.eye(HORIZON), group.max() + 1)
        relative += draws[group]
    actual = rng.poisson(forecast * np.maximum(1 + relative, 0)).astype(float)
    return PastErrors(forecast, actual, groups.store, groups.item, 1.0)


@pytest.fixture(scope="module")
def past() -> list[PastErrors]:
    rng = np.random.default_rng(0)
    return [simulated(rng, TRUTH) for _ in range(ORIGINS)]


@pytest.fixture(scope="module")
def fitted(past: list[PastErrors]) -> JointError:
    return fit_joint_error(past, whole=True)


@pytest.mark.parametrize("level", ["all", "store", "item", "series"])
@pytest.mark.parametrize("days", [1, 7, 28, 60])
def test_the_variance_of_sums_is_that_of_the_errors(past: list[PastErrors], fitted: JointError, level: str, days: int):
    expected, squared = [], []
    for each in past:
        group = Groups(each.store, each.item).by(level)
        expected.append(variances(fitted, each.forecast[:, :days], 1, each.store, each.item, group)[0].sum())
        squared.append((np.bincount(group, (each.actual - each.forecast)[:, :days].sum(axis=1)) ** 2).sum())
    assert np.sum(expected) == pytest.approx(np.sum(squared), rel=0.25)


def test_each_variance_is_found_where_it_is(fitted: JointError):
    """By what errs; the memory of an error that 60 origins show is told less exactly."""
    assert fitted.counting == pytest.approx(1.0, rel=0.1)
    last = np.array([KERNELS[memory][-1, -1] for memory in KERNELS])
    found = fitted.relative @ last
    for (level, memory), variance in TRUTH.items():
        assert found[LEVELS.index(level)] == pytest.approx(variance * KERNELS[memory][-1, -1], rel=0.35), level


def test_few_spells_lean_on_the_prior(fitted: JointError):
    """The error that all series share is told by origins alone: with few of them a prior counts as well."""
    rng = np.random.default_rng(1)
    calm = fit_joint_error([simulated(rng, {})], whole=True)
    assert calm.spells == PRIOR_SPELLS + 1
    assert calm.relative[0, 2] >= PRIOR_LEVEL * PRIOR_SPELLS / (PRIOR_SPELLS + 1) - 1e-9
    assert calm.relative[0, 3] >= PRIOR_WALK * PRIOR_SPELLS / (PRIOR_SPELLS + 1) - 1e-9
    assert fitted.spells == PRIOR_SPELLS + ORIGINS


def test_what_cannot_be_told_apart_is_one_error(past: list[PastErrors]):
    """A single store is everything, one item per store is the store: the series' own error takes their place."""
    each = past[0]
    one_store = each.store == 0
    cut = PastErrors(each.forecast[one_store], each.actual[one_store], each.store[one_store], each.item[one_store], 1.0)
    relative = fit_joint_error([cut], whole=True).relative
    assert not relative[1:3].any()
    alone = PastErrors(each.forecast[:1], each.actual[:1], each.store[:1], each.item[:1], 1.0)
    error = fit_joint_error([alone], whole=True)
    assert not error.relative[1:].any()
    assert np.isfinite(error.counting)


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_short_horizons_and_unknown_days(past: list[PastErrors], horizon: int):
    each = past[0]
    actual = each.actual[:, :horizon].copy()
    actual[::2, ::2] = np.nan
    actual[3] = np.nan
    error = fit_joint_error([PastErrors(each.forecast[:, :horizon], actual, each.store, each.item, 1.0)], whole=False)
    assert isinstance(error, JointError)
    assert np.isfinite(error.relative).all()
    assert (error.relative >= 0).all()
