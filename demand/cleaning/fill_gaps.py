"""Values for days without any: sales from the weekday before, known-future columns from the week before."""

from __future__ import annotations

import numpy as np

from demand.cleaning.trailing_medians import WEEK, last_days, row_medians
from demand.ingest.records import Records
from demand.panel.panel import OPEN

RECENT = 28  # days whose median fills a weekday that the series has not sold on yet


def fill_missing_covariates(records: Records, first: np.ndarray, until: np.ndarray) -> np.ndarray:
    """The known-future columns (S, D, K), those of days without a row, from `first` to `until` (S,), taken from a week before.

    In the first week from the day before. `open` is 0 on a weekday that never had a row.
    """
    known = records.known.copy()
    day = np.arange(len(records.dates))
    hole = (day >= first[:, None]) & (day <= until[:, None]) & ~records.row
    if not known.size or not hole.any():
        return known
    had_row = np.zeros((len(first), WEEK), bool)
    for t in day:
        at = np.flatnonzero(hole[:, t])
        known[at, t] = known[at, np.where(t - first[at] >= WEEK, t - WEEK, t - 1)]
        if OPEN in records.known_names:
            never = at[(t - first[at] >= WEEK) & ~had_row[at, t % WEEK]]
            known[never, t, records.known_names.index(OPEN)] = 0
        had_row[:, t % WEEK] |= records.row[:, t]
    return known


def fill_values(sales: np.ndarray, observed: np.ndarray, expected: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """What days without sales take (S, D); NaN on the others, and where the series has sold on no day before."""
    values = np.where(filled, expected, np.float32(np.nan))
    row, column = np.nonzero(filled & np.isnan(expected))
    if len(row):
        values[row, column] = row_medians(last_days(np.where(observed, sales, np.float32(np.nan)), row, column, RECENT))
    return values
