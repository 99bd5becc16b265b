"""The measures of the field: WAPE of days and of totals, bias, and coverage that is fair where outcomes have a point mass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NOMINAL = 0.8  # of the interval
GROUP = 500  # days of like forecast whose ties are shared out together


@dataclass(frozen=True)
class Answer:
    """A method's forecast, (S, H) units per day, and the ends of its 80 % interval where it has one."""

    point: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def point_errors(actual: np.ndarray, forecast: np.ndarray) -> dict[str, float]:
    """Errors of one origin, % of all units sold: wape_days, wape_totals (per series, over all days) and bias (of the sum).

    Args:
        actual, forecast: (S, H) units per day; where the actual is NaN neither counts. All are NaN where nothing was sold.
    """
    known = ~np.isnan(actual)
    y, f = np.where(known, actual, 0).astype("f8"), np.where(known, forecast, 0).astype("f8")
    units = 100 / y.sum() if y.sum() > 0 else np.nan
    return {"wape_days": float(units * np.abs(f - y).sum()), "wape_totals": float(units * np.abs((f - y).sum(axis=1)).sum()),
            "bias": float(units * (f - y).sum())}


def file_errors(origins: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the origins of a file, each counting once, and bias_abs: the mean of their absolute biases."""
    names = ("wape_days", "wape_totals", "bias")
    mean = {name: float(np.mean([origin[name] for origin in origins])) for name in names}
    return mean | {"bias_abs": float(np.mean([abs(origin["bias"]) for origin in origins]))}


def randomised_coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray, point: np.ndarray) -> float:
    """Share, %, of outcomes within an 80 % interval; an outcome that equals an end counts in part.

    Where the outcome has a point mass, the 10 % quantile is a value that more than 10 % of outcomes reach: with [low, high]
    closed, right intervals of small counts would cover nearly everything, and with it open next to nothing. A randomised test
    (Czado, Gneiting & Held 2009) cuts the mass at the end so that exactly 10 % lie outside. As a forecast has its ends only,
    the mass is counted: in groups of about GROUP days of like forecast, the outcomes at an end go outside as far as the share
    outside stays at most 10 %, and stay inside otherwise. Without a tie it is plain coverage.

    Args:
        actual: (N,) units per day, NaN where unknown; low, high, point: (N,).
    """
    known = ~np.isnan(actual)
    y, low, high, point = (values[known].astype("f4") for values in (actual, low, high, point))
    if not len(y):
        return float("nan")
    order = np.argsort(point, kind="stable")
    groups = np.array_split(order, max(1, len(order) // GROUP))
    outside = sum(misses(y[g], low[g], high[g]) for g in groups)
    return 100 * (1 - outside / len(y))


def misses(actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Expected number of outcomes (N,) outside the interval, ties shared out as randomised_coverage says."""
    allowed = (1 - NOMINAL) / 2 * len(actual)
    below, at_low = int((actual < low).sum()), int((actual == low).sum())
    above, at_high = int((actual > high).sum()), int((actual == high).sum())
    under = below + min(at_low, max(allowed - below, 0))
    over = above + min(at_high, max(allowed - above, 0))
    return min(under + over, float(len(actual)))
