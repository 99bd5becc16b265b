"""Scores of series of like speed and of like age, each beside the error that chance alone would leave."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import lgamma
from typing import Any

import numpy as np

from demand.backtest import scores
from demand.backtest.folds import Fold
from demand.panel.panel import is_past

SPEEDS = (0.0, 0.3, 1.0, 3.0, 10.0, np.inf)  # units per day over the last SPEED_DAYS days before the origin
AGES = (1, 57, 183, 366, np.inf)  # days from the first with sales or a filled gap to the origin
SPEED_DAYS = 365
LOG_FACTORIAL = np.vectorize(lambda n: lgamma(n + 1), otypes=[float])


def by_speed(folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """`group_rows` of series by what they sold a day before the origin."""
    return group_rows(folds, "speed", SPEEDS, [speed(fold) for fold in folds])


def by_age(folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """`group_rows` of series by the days of history before the origin."""
    return group_rows(folds, "age", AGES, [age(fold) for fold in folds])


def speed(fold: Fold) -> np.ndarray:
    """(S,) mean recorded sales, units per day, 0 where none are recorded."""
    end = fold.history.column(fold.forecast.origin) + 1
    recorded = fold.history.recorded[:, max(end - SPEED_DAYS, 0):end]
    days = (~np.isnan(recorded)).sum(axis=1)
    return np.asarray(np.nansum(recorded, axis=1, dtype="f8") / np.maximum(days, 1))


def age(fold: Fold) -> np.ndarray:
    """(S,) days from the first day of each series to the origin, both counted."""
    end = fold.history.column(fold.forecast.origin) + 1
    return np.asarray(end - is_past(fold.history.status[:, :end]).argmax(axis=1))


def group_rows(folds: Sequence[Fold], name: str, bounds: Sequence[float], values: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """One row per group of series that has any, slow or young first, all folds together.

    Keys: `name` (its bounds), series (of all folds), units (% of all that were sold), wape, wape_28, bias, coverage_80 (%), and
    limit_28: the wape_28 of forecasts that are exactly the mean of Poisson sales.
    """
    rows = []
    sold = sum(float(np.nansum(fold.actual, dtype="f8")) for fold in folds)
    for low, high in pairwise(bounds):
        inside = [(value >= low) & (value < high) for value in values]
        actual, point, lower, upper = (
            np.concatenate([array[own] for array, own in zip(arrays, inside, strict=True)])
            for arrays in ([f.actual for f in folds], [f.forecast.point for f in folds],
                           [f.forecast.low[80] for f in folds], [f.forecast.high[80] for f in folds]))
        if not len(actual) or np.isnan(actual).all():
            continue
        units = float(np.nansum(actual, dtype="f8"))
        found = scores.errors(actual, point)
        rows.append({name: f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and more", "series": len(actual),
                     "units": 100 * units / max(sold, 1e-9), "wape": found["wape"] if units else None,
                     "wape_28": scores.wape_of_totals(actual, point) if units else None,
                     "limit_28": poisson_limit(actual, point) if units else None, "bias": found["bias"] if units else None,
                     "coverage_80": scores.coverage(actual, lower, upper)})
    return rows


def poisson_limit(actual: np.ndarray, forecast: np.ndarray) -> float:
    """The mean absolute deviation of Poisson totals around their means, the forecasts' totals, in % of what was sold."""
    sold, mean = scores.totals(actual, forecast)
    whole = np.floor(mean)
    log = (whole + 1) * np.log(np.maximum(mean, 1e-300)) - mean - LOG_FACTORIAL(whole)
    return float(100 * (2 * np.exp(log)).sum() / max(float(sold.sum()), 1e-9))
