"""From what a source states to a complete panel. What is written for a day depends on no later day, to the bit.

- A day without sales takes the median of the last `fill_weeks` sales on its weekday; it is closed if most of those days were, or
  if the series never had a row on that weekday.
- A day is closed where the known-future column `open` says 0. Without that column, a zero is a closed day before the first sale,
  and where demand as it was lately would hardly ever give zero.
- A typing error (stages/forecasting/outliers.py) is lowered to the highest believable value.
- A row that is missing altogether takes its known-future values from the same weekday of the week before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stages.forecasting import newcomers
from stages.forecasting.outliers import outliers
from stages.forecasting.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, OUTLIER, Panel
from stages.forecasting.params import Prepare
from stages.forecasting.records import Records
from stages.forecasting.trailing import WEEK, last_days, row_medians, weekday_medians

OPEN = "open"
MEMORY = 28  # days in which the demand that a zero is judged by fades to a third
LEAST_OPEN = 3  # open days before a zero can be judged
RECENT = 28  # days whose median fills a weekday that the series has not sold on yet


def seen(records: Records, end: int) -> tuple[Records, int]:
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
    return replace(records, store=records.store[begun], item=records.item[begun], dates=records.dates[days], sales=sales, row=row,
                   known=records.known[begun, days]), end


def clean(records: Records, end: int, rules: Prepare) -> Panel:
    """The panel of what `seen` returned, with the same series and days."""
    day = np.arange(len(records.dates))
    first, last = records.row.argmax(axis=1), len(day) - 1 - records.row[:, ::-1].argmax(axis=1)
    live = (day >= first[:, None]) & (day <= end)
    future = (day > end) & (day <= last[:, None])
    sales, known = records.sales, carried(records, first, np.maximum(last, end))
    closed, expected, (row, column, limit) = judged(replace(records, known=known), live, day - first[:, None], rules)

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


def judged(records: Records, live: np.ndarray, age: np.ndarray,
           rules: Prepare) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Closed days (S, D) bool, the trailing weekday medians of the open ones (S, D), and the outliers.

    Zeros are judged twice where there are outliers: a single one makes demand look so wild that any zero could be chance.

    Args:
        live, age: (S, D) bool, days of the history, and how many days the series is old.
    """
    sales, names = records.sales, records.known_names
    missing, believed = live & np.isnan(sales), sales
    planned = records.known[:, :, [name != OPEN for name in names]]
    while True:
        if OPEN in names:
            closed = live & (records.known[:, :, names.index(OPEN)] == 0)
        else:
            closed = implausible_zeros(believed, live, rules.closed_probability)
            closed |= missing & usually_closed(closed, live & ~missing, age, rules.fill_weeks)
        observed = live & ~missing & ~closed
        expected, weeks = weekday_medians(sales, observed, rules.fill_weeks)
        row, column, limit = outliers(sales, observed, expected, weeks, records.store, records.item, planned, rules)
        if not len(row) or OPEN in names or believed is not sales:
            return closed, expected, (row, column, limit)
        believed = sales.copy()
        believed[row, column] = np.nan


def carried(records: Records, first: np.ndarray, until: np.ndarray) -> np.ndarray:
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


def implausible_zeros(sales: np.ndarray, live: np.ndarray, probability: float) -> np.ndarray:
    """Zeros before the first sale, and those less likely than `probability` in a negative binomial with the mean and variance of
    the open days so far, the recent ones weighing most. (S, D) bool."""
    closed = np.zeros(sales.shape, bool)
    days, weight, total, squares = np.zeros((4, len(sales)))
    ever, top = np.zeros(len(sales), bool), np.zeros((len(sales), 3), "f4")
    stated = live & ~np.isnan(sales)
    for t, (units, has) in enumerate(zip(np.where(live, sales, np.nan).T.astype("f8"), stated.T, strict=True)):
        zero = units == 0
        if zero.any():
            mean, square = total / np.maximum(weight, 1), squares / np.maximum(weight, 1)
            for s in np.flatnonzero(zero & newcomers.wild(top)):
                past = sales[s, :t][stated[s, :t] & ~closed[s, :t]]
                mean[s], square[s] = faded(past[past <= newcomers.OWN * top[s, 2]].astype("f8"))
            over = np.maximum(square - mean**2 - mean, 1e-9 * (1 + mean))  # variance beyond Poisson's
            log_zero = -(mean**2 / over) * np.log1p(over / np.maximum(mean, 1e-9))
            closed[:, t] = zero & (~ever | ((days >= LEAST_OPEN) & (log_zero < np.log(probability))))
        used = has & ~closed[:, t]
        keep = np.where(used, np.exp(-1 / MEMORY), 1.0)
        units = np.where(used, units, 0.0)
        days, weight, total, squares = days + used, keep * weight + used, keep * total + units, keep * squares + units**2
        ever |= units > 0
        top = newcomers.highest(top, units.astype("f4"))
    return closed


def faded(units: np.ndarray) -> tuple[float, float]:
    """Weighted mean and mean square of open days, oldest first, as `implausible_zeros` adds them up."""
    weights = np.exp(-np.arange(len(units))[::-1] / MEMORY)
    return float(np.average(units, weights=weights)), float(np.average(units**2, weights=weights))


def usually_closed(closed: np.ndarray, stated: np.ndarray, age: np.ndarray, weeks: int) -> np.ndarray:
    """Days on whose weekday most of the last days that are stated were closed, or none ever was stated. (S, D) bool.

    Args:
        closed, stated: (S, D) bool.
        age: (S, D) days since the series began.
        weeks: how many days back on the weekday.
    """
    if stated.all():
        return np.zeros(closed.shape, bool)
    share, count = weekday_medians(closed.astype("f4"), stated, weeks)
    return (share > 0.5) | ((count == 0) & (age >= WEEK))


def fill_values(sales: np.ndarray, observed: np.ndarray, expected: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """What days without sales take (S, D); NaN on the others, and where the series has sold on no day before."""
    values = np.where(filled, expected, np.float32(np.nan))
    row, column = np.nonzero(filled & np.isnan(expected))
    if len(row):
        values[row, column] = row_medians(last_days(np.where(observed, sales, np.float32(np.nan)), row, column, RECENT))
    return values
