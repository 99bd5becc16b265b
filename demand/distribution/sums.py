"""Forecasts of sums: what groups of series sell over a span of days, with the quantiles of that, from the joint error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.distribution.joint_error import JointError, Levels, period_variances, quantiles, variances


@dataclass(frozen=True)
class SumForecast:
    """G sums. `mean` and `variance` (G,), units and their square; `freedom` (G,) degrees of freedom of that variance."""

    mean: np.ndarray
    variance: np.ndarray
    freedom: np.ndarray
    whole: bool

    def quantiles(self, levels: Levels, inwards: bool = True) -> np.ndarray:
        """(G, Q) units: with these probabilities, from 0 to 1 and rising, no more is sold. Whole where sales are.

        `levels` are (Q,) for all sums, or (G, Q). Whole quantiles are rounded `inwards`, as the ends of an interval, or up.
        """
        return quantiles(self.mean, self.variance, self.freedom, levels, self.whole, inwards)

    def interval(self, percent: float) -> tuple[np.ndarray, np.ndarray]:
        """(G,) ends, units: sales lie between them, both counted, with this probability."""
        low, high = self.quantiles([(100 - percent) / 200, (100 + percent) / 200]).T
        return low, high


def forecast_sums(error: JointError, units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray,
                  group: np.ndarray) -> SumForecast:
    """What each group of series sells on some days together.

    Args:
        units: (S, D) forecast of the series on these days, units per day; 0 adds nothing to a sum.
        first: days from the origin to the first of them, from 1.
        store, item: (S,) int codes from 0, of the series' stores and items.
        group: (S,) int codes from 0: the sum that each series is in.
    """
    mean = np.bincount(group, units.sum(axis=1, dtype="f8"), int(group.max(initial=-1)) + 1)
    variance, freedom = variances(error, units, first, store, item, group)
    return SumForecast(mean, variance, freedom, error.whole)


def forecast_periods(error: JointError, units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray,
                     starts: np.ndarray) -> SumForecast:
    """What all these series sell together in each of P periods; the arguments are those of `forecast_sums`.

    Args:
        starts: (P,) column that each period begins with, ascending from 0; it ends before the next one.
    """
    mean = np.add.reduceat(units.sum(axis=0, dtype="f8"), starts)
    variance, freedom = period_variances(error, units, first, store, item, starts)
    return SumForecast(mean, variance, freedom, error.whole)
