"""From what a source states to a complete panel. What is written for a day depends on no later day, to the bit.

- A day without sales takes the median of the last `fill_weeks` sales on its weekday; it is closed if most of those days were, or
  if the series never had a row on that weekday.
- A day is closed where the known-future column `open` says 0. Without that column, a zero is a closed day before the first sale,
  and where demand as it was lately would hardly ever give zero.
- An outlier is lowered to the highest believable value.
- A row that is missing altogether takes its known-future values from the same weekday of the week before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.cleaning.closed_days import implausible_zeros, usually_closed
from demand.cleaning.fill_gaps import fill_missing_covariates, fill_values
from demand.cleaning.outliers import outliers
from demand.cleaning.prepare_params import PrepareParams
from demand.cleaning.trailing_medians import weekday_medians
from demand.ingest.records import Records
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, OPEN, OUTLIER, Panel


def visible_records(records: Records, end: int) -> tuple[Records, int]:
    """What is there at the end of day `end`: the series that have begun, from the first sale on, later sales hidden.

    Later days stay where there are known-future columns. A series begins with its first value of sales. Also returns where `end`
    then lies.
    """
    begun = ~np.isnan(records.sales[:, : end + 1]).all(axis=1)
    first = (~np.isnan(records.sales[begun])).argmax(axis=1)
    stop = len(records.dates) - records.row[begun].any(axis=0)[::-1].argmax() if records.known_names else end + 1
    days = slice(int(first.min()), max(int(stop), end + 1))
    sales, row = records.sales[begun, days], records.row[begun, days]
    row &= np.arange(days.start, days.stop) >= first[:, None]
    end -= days.start
    sales[:, end + 1 :] = np.nan
    closed = None if records.closed is None else records.closed[begun, days]
    return replace(records, store=records.store[begun], item=records.item[begun], dates=records.dates[days], sales=sales, row=row,
                   known=records.known[begun, days], closed=closed), end


def clean(records: Records, end: int, rules: PrepareParams) -> Panel:
    """The cleaned panel of visible records (visible_records), with the same series and days."""
    day = np.arange(len(records.dates))
    first, last = records.row.argmax(axis=1), len(day) - 1 - records.row[:, ::-1].argmax(axis=1)
    live = (day >= first[:, None]) & (day <= end)
    future = (day > end) & (day <= last[:, None])
    sales, known = records.sales, fill_missing_covariates(records, first, np.maximum(last, end))
    closed, expected, (row, column, limit) = judge_days(replace(records, known=known), live, day - first[:, None], rules)

    missing = live & np.isnan(sales)
    filled = missing & ~closed
    values = fill_values(sales, live & ~missing & ~closed, expected, filled)
    filled &= ~np.isnan(values)
    closed |= missing & ~filled  # nothing was sold yet

    cleaned = np.where(live, np.where(filled, values, sales), np.float32(np.nan))
    cleaned[closed] = 0
    cleaned[row, column] = limit
    status = np.select([closed, filled, live, future], [CLOSED, FILLED, OBSERVED, FUTURE], ABSENT).astype("u1")
    status[row, column] = OUTLIER
    known[status == ABSENT] = np.nan
    return Panel(records.store, records.item, records.dates, cleaned, sales, status, known, records.known_names)


def judge_days(records: Records, live: np.ndarray, age: np.ndarray,
           rules: PrepareParams) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Closed days (S, D) bool, the trailing weekday medians of the open ones (S, D), and the outliers.

    Zeros are judged twice where there are outliers: a single outlier raises the variance so much that any zero looks possible.

    Args:
        live, age: (S, D) bool, days of the history, and how many days the series is old.
    """
    sales, names = records.sales, records.known_names
    missing, wrong = live & np.isnan(sales), np.zeros(sales.shape, bool)
    planned = records.known[:, :, [name != OPEN for name in names]]
    while True:
        if OPEN in names:
            closed = live & (records.known[:, :, names.index(OPEN)] == 0)
        else:
            closed = implausible_zeros(sales, live, wrong, rules.closed_probability)
            closed |= missing & usually_closed(closed, live & ~missing, age, rules.fill_weeks)
        if records.closed is not None:
            closed |= live & records.closed & ~(sales > 0)
        observed = live & ~missing & ~closed
        expected, weeks = weekday_medians(sales, observed, rules.fill_weeks)
        row, column, limit = outliers(sales, observed, expected, weeks, records.store, records.item, planned, rules)
        if not len(row) or OPEN in names or wrong.any():
            return closed, expected, (row, column, limit)
        wrong[row, column] = True
