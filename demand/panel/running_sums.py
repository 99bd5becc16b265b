"""Running sums over days: a sum between two days is a difference."""

from __future__ import annotations

import numpy as np


def running_sums(values: np.ndarray) -> np.ndarray:
    """(S, D) to (S, D + 1) sums of what lies before each position; NaN counts as 0."""
    total = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(np.nan_to_num(values), axis=1, out=total[:, 1:])
    return total


def ratio_of_sums(actual: np.ndarray, expected: np.ndarray, *, otherwise: float = 1.0) -> np.ndarray:
    """actual / expected, `otherwise` where nothing was expected: differences of running sums are not exactly 0 there."""
    return np.divide(actual, expected, out=np.full(np.shape(expected), otherwise), where=expected > 1e-9)


def between(series: np.ndarray | slice, start: np.ndarray | int, stop: np.ndarray | int, *totals: np.ndarray) -> list[np.ndarray]:
    """What running sums (S, D + 1) add up from position `start` to before `stop`, as far as the axis goes; 0 if it goes back."""
    stop = np.minimum(np.maximum(stop, 0), totals[0].shape[1] - 1)  # np.clip would take most of the time of a single forecast
    start = np.minimum(np.maximum(start, 0), stop)
    return [total[series, stop] - total[series, start] for total in totals]


def strided_sums(values: np.ndarray, step: int) -> np.ndarray:
    """(S, D) sums over positions d, d - step, d - 2 step ..."""
    series, days = values.shape
    padded = np.pad(values, ((0, 0), (0, -days % step))).astype("f8")
    return np.cumsum(padded.reshape(series, -1, step), axis=1).reshape(series, -1)[:, :days]
