"""What a series was like before a day: medians over its last days, computed for all days at once.

Only comparisons, sums of two and products are used, so the bits on a day do not depend on what comes later or stands beside.
"""

from __future__ import annotations

import numpy as np

WEEK = 7


def weekday_medians(values: np.ndarray, valid: np.ndarray, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """The median of the last `weeks` valid values on the same weekday before each day, however long ago.

    Args:
        values, valid: (S, D).

    Returns:
        (S, D) medians, NaN where nothing valid came before; (S, D) how many values each is the median of.
    """
    medians = np.full(values.shape, np.nan, values.dtype)
    counts = np.zeros(values.shape, np.int16)
    for weekday in range(min(WEEK, values.shape[1])):
        use, these = valid[:, weekday::WEEK], values[:, weekday::WEEK]
        before = np.cumsum(use, axis=1) - use
        if not use.all():  # push the valid values together, in their order
            order = np.argsort(~use, axis=1, kind="stable")
            these = np.take_along_axis(np.where(use, these, np.nan), order, axis=1)
        padded = np.concatenate([np.full((len(these), weeks), np.nan, values.dtype), these], axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, weeks, axis=1)
        compact = row_medians(windows)
        medians[:, weekday::WEEK] = np.take_along_axis(compact, before, axis=1)
        counts[:, weekday::WEEK] = np.minimum(before, weeks)
    return medians, counts


def row_medians(values: np.ndarray) -> np.ndarray:
    """Medians over the last axis without the NaNs; NaN where there is nothing else."""
    return sorted_medians(np.sort(values, axis=-1))


def sorted_medians(ordered: np.ndarray) -> np.ndarray:
    """As `row_medians`, of values that are sorted, the NaNs last."""
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, np.maximum(count - 1, 0)), axis=-1)
    return ((low + high) / 2)[..., 0]


def last_days(values: np.ndarray, row: np.ndarray, column: np.ndarray, days: int) -> np.ndarray:
    """The `days` values before each of M cells, oldest first: (M, days, …), NaN before the first day."""
    at = column[:, None] - np.arange(days, 0, -1)
    found = values[row[:, None], np.maximum(at, 0)]
    found[at < 0] = np.nan
    return found


def last_valid(values: np.ndarray, count: int) -> np.ndarray:
    """(M, days) with NaN everywhere but at the last `count` values of each row that are not NaN."""
    valid = ~np.isnan(values)
    later = np.cumsum(valid[:, ::-1], axis=1)[:, ::-1]
    return np.where(valid & (later <= count), values, np.nan)
