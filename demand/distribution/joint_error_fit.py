"""The joint error, fitted to forecasts of the past: squared errors of sums against what each variance would make of them.

For the series, stores, items and everything, over spans of several lengths, the mean squared error of sums is a linear function
of the variances sought. They are its non-negative least squares, each equation weighted by how well it is known (iterated: the
method of moments of Searle, Casella & McCulloch 1992, as generalised least squares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demand.distribution.joint_error import ERRORS, MEMORIES, JointError, error_forms

SPANS = (1, 7, 28)  # days that are summed, beside the whole horizon
APART = 13  # days between the starts of short spans: every weekday in turn
SIZES = 3  # classes of series by their sales
ROUNDS = 5
PRIOR_SPELLS = 4.0  # what the prior of the error that all share is worth
PRIOR_LEVEL, PRIOR_WALK = 0.010**2, 0.008**2  # its variances: 1 % for good, and 0.8 % more after four weeks


@dataclass(frozen=True)
class PastErrors:
    """A forecast from one origin, and what was sold.

    Attributes:
        forecast, actual: (S, H) units per day, `actual` NaN on days that say nothing about demand.
        store, item: (S,) int codes from 0.
        weight: how much the origin counts.
    """

    forecast: np.ndarray
    actual: np.ndarray
    store: np.ndarray
    item: np.ndarray
    weight: float


@dataclass(frozen=True)
class Moments:
    """N equations: `squared` (N,) mean squared errors of `sums` (N,) sums each, of a mean `forecast` (N,), `forms` (N, 4, 4)."""

    squared: np.ndarray
    sums: np.ndarray
    forecast: np.ndarray
    forms: np.ndarray
    weight: np.ndarray


def fit_joint_error(past: Sequence[PastErrors], whole: bool) -> JointError:
    """The joint error of forecasts like these, in float32; `whole`: sales are whole units. At least one has known sales."""
    moments = joined([moments_of(errors) for errors in past])
    weights = np.array([errors.weight for errors in past])
    spells = float(weights.sum() ** 2 / (weights**2).sum())
    counting, relative = least_squares(moments)
    for memory, prior in (("level", PRIOR_LEVEL), ("walk", PRIOR_WALK)):
        place = ERRORS.index("all"), MEMORIES.index(memory)
        relative[place] = (spells * relative[place] + PRIOR_SPELLS * prior) / (spells + PRIOR_SPELLS)
    return JointError(float(np.float32(counting)), relative.astype("f4").astype("f8"), round(spells + PRIOR_SPELLS, 3), whole)


def least_squares(moments: Moments) -> tuple[float, np.ndarray]:
    """The variance of chance per unit, and the relative variances (4, 4)."""
    from scipy.optimize import nnls  # some 0.3 s, which forecasting need not wait for

    columns = np.column_stack([moments.forecast, moments.forms.reshape(len(moments.forms), -1)])
    of_all = slice(1, 1 + len(MEMORIES))
    shared = 1e-4 * columns[:, 1 + MEMORIES.index("level")]
    variance = moments.forecast + shared
    for _ in range(ROUNDS):  # groups of one origin share its error: their squares are not independent
        sd = np.sqrt((np.maximum(variance - shared, 0) ** 2 / moments.sums + shared**2) / moments.weight)
        scaled = columns / sd[:, None]
        size = np.maximum(np.linalg.norm(scaled, axis=0), 1e-30)
        found = nnls(scaled / size, moments.squared / sd)[0] / size
        variance, shared = np.maximum(columns @ found, 1e-9), columns[:, of_all] @ found[of_all]
    return float(found[0]), found[1:].reshape(len(ERRORS), len(MEMORIES))


def moments_of(errors: PastErrors) -> Moments:
    """The equations of one origin."""
    known = ~np.isnan(errors.actual)
    forecast = np.where(known, errors.forecast, 0).astype("f8")
    missed = np.where(known, errors.actual - errors.forecast, 0).astype("f8")
    series, horizon = forecast.shape
    everything, each = np.zeros(series, int), np.arange(series)
    size = np.argsort(np.argsort(forecast.sum(axis=1), kind="stable"), kind="stable") * SIZES // series
    found = []
    for days in (*(span for span in SPANS if span < horizon), horizon):
        for start in range(0, horizon - days + 1, max(days, APART)):
            cut = slice(start, start + days)
            for group in distinct(everything, errors.store, errors.item, each):
                forms = error_forms(forecast[:, cut], start + 1, errors.store, errors.item, group)
                forms[:, ~told_apart(errors.store, errors.item)] = 0
                sums = np.bincount(group, forecast[:, cut].sum(axis=1))
                squared = np.bincount(group, missed[:, cut].sum(axis=1)) ** 2
                found.append(by_class(squared, sums, forms, size if group is each else np.zeros(len(sums), int), errors.weight))
    return joined(found)


def by_class(squared: np.ndarray, sums: np.ndarray, forms: np.ndarray, kind: np.ndarray, weight: float) -> Moments:
    """One equation per class of sums: the means over those of which something was forecast."""
    parts = [use for use in ((kind == each) & (sums > 0) for each in range(kind.max() + 1)) if use.any()]
    means = (np.array([values[use].mean(axis=0) for use in parts]).reshape(-1, *values.shape[1:])
             for values in (squared, sums, forms))
    squares, expected, quadratic = means
    return Moments(squares, np.array([use.sum() for use in parts], float), expected, quadratic, np.full(len(parts), weight))


def distinct(everything: np.ndarray, store: np.ndarray, item: np.ndarray, each: np.ndarray) -> list[np.ndarray]:
    """The ways to sum that differ: stores and items are left out where they are one, or one series each."""
    groups = [group for group, use in zip((store, item), told_apart(store, item)[1:3], strict=True) if use]
    return [everything, *groups, each] if len(each) > 1 else [everything]


def told_apart(store: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(4,) bool: the ERRORS that can be told apart with these stores and items."""
    series = len(store)
    some = [1 < len(np.unique(code)) < series for code in (store, item)]
    return np.array([True, *some, series > 1])


def joined(parts: Sequence[Moments]) -> Moments:
    """All equations of the parts."""
    return Moments(*(np.concatenate([getattr(part, name) for part in parts]) for name in Moments.__dataclass_fields__))
