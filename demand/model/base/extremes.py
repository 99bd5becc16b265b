"""The second line of defence against typing errors: single values that must not reach the sums that all series share.

Days that cleaning marked as outliers are wrong as well after they were lowered: they teach nothing.
Cleaning looks back only, so it cannot judge the first days of a series. A model can look at all days up to its origin. A value
far beyond what its series sold on its other days is taken as unknown: ordinary demand, and a new level once it has held for
three days, stay as they are, to the bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.panel.panel import FILLED, OBSERVED, OUTLIER, Panel

FACTOR = 10  # times the third-highest day of the series: more than any day sells
DEVIATIONS = 8  # standard deviations of a Poisson count above it: rare sellers


def without_extremes(panel: Panel, end: int) -> Panel:
    """The panel where outliers and extreme sales up to position `end` are unknown; the very same one where there are none."""
    extreme = extremes(panel, end) | (panel.status[:, : end + 1] == OUTLIER)
    if not extreme.any():
        return panel
    sales, status = panel.sales.copy(), panel.status.copy()
    sales[:, : end + 1][extreme], status[:, : end + 1][extreme] = np.nan, FILLED
    return replace(panel, sales=sales, status=status)


def extremes(panel: Panel, end: int) -> np.ndarray:
    """(S, end + 1) bool: observed days that sold far more than the third-highest of the series, or, if it sold on two days, than
    the lower one. A series that sold on a single day is held against what the others sold."""
    sold = np.where(panel.status[:, : end + 1] == OBSERVED, panel.sales[:, : end + 1], 0)
    padded = np.pad(sold, ((0, 0), (max(3 - sold.shape[1], 0), 0)))
    third, second, first = np.sort(np.partition(padded, padded.shape[1] - 3, axis=1)[:, -3:], axis=1).T
    reached = np.where(third > 0, third, second)
    once = np.flatnonzero((reached == 0) & (first > 0))
    if len(once):
        largest = np.where(reached > 0, reached, first)
        reached[once] = [np.delete(largest, row).max(initial=0) or np.inf for row in once.tolist()]
    limit = np.maximum(FACTOR * reached, ((2 * np.sqrt(reached + 3 / 8) + DEVIATIONS) / 2) ** 2 - 3 / 8)
    found: np.ndarray = sold > limit[:, None]
    return found
