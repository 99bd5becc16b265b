"""Data problems that must not be taken for drift: series that stopped selling, days that are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.backtest.residuals import MIN_EXPECTED_UNITS
from demand.panel.panel import FILLED, OPEN, Panel, is_trading
from demand.schema.listing import SHOWN, list_some

BEFORE = 56  # days before the last sale, whose mean is what was expected after it
MISSING = 0.2  # share of the recent series and days without a value
RECENT = 14  # days
GONE = 366  # days without a sale after which a series is no longer reported


@dataclass(frozen=True)
class Inactivity:
    """(S,): whether a series is inactive, and the last day on which it sold; for the others the day that was judged."""

    inactive: np.ndarray
    last_sale: np.ndarray


def find_inactive(panel: Panel, day: np.datetime64, days: int) -> Inactivity:
    """The series that on `day` have not sold for `days` days or more, although at least MIN_EXPECTED_UNITS were expected."""
    end = panel.column(day) + 1
    inactive, last_sale = np.zeros(panel.n_series, bool), np.full(panel.n_series, day)
    for s in np.flatnonzero(~(panel.recorded[:, max(end - days, 0):end] > 0).any(axis=1)).tolist():
        since = max(end - GONE, 0)
        sold = np.flatnonzero(panel.recorded[s, since:end] > 0)
        if len(sold):
            stop = since + sold[-1] + 1
            before = slice(max(stop - BEFORE, 0), stop)
            traded = panel.sales[s, before][is_trading(panel.status[s, before])]
            expected = traded.mean() * open_by_plan(panel, s, slice(stop, end)).sum() if len(traded) else 0.0
            inactive[s], last_sale[s] = expected >= MIN_EXPECTED_UNITS, panel.dates[stop - 1]
    return Inactivity(inactive, last_sale)


def ended(panel: Panel, day: np.datetime64) -> list[str]:
    """Series that sold nothing in the GONE days up to a day, but did before: some by name, then how many more."""
    end = panel.column(day) + 1
    sold = panel.recorded[:, :end] > 0
    rows = np.flatnonzero(sold.any(axis=1) & ~sold[:, max(end - GONE, 0):].any(axis=1))
    names = [f"store {panel.store[s]}, item {panel.item[s]}" for s in rows[:SHOWN]]
    return names + ([f"{len(rows) - SHOWN:,} more"] if len(rows) > SHOWN else [])


def open_by_plan(panel: Panel, series: int, days: slice) -> np.ndarray:
    """(days,) bool: False where the known-future column `open` says closed. Without the column, every day counts as open."""
    if OPEN not in panel.known_names:
        return np.ones(days.stop - days.start, bool)
    return panel.known[series, days, panel.known_names.index(OPEN)] != 0


def problems(panel: Panel, inactivity: Inactivity, day: np.datetime64) -> list[str]:
    """The data problems, in words: whole stores first, then single series, then missing days."""
    messages = []
    inactive = inactivity.inactive
    stores = [store for store in np.unique(panel.store[inactive]) if inactive[panel.store == store].all()]
    whole = np.isin(panel.store, stores) if stores else np.zeros(len(inactive), bool)
    names = [(f"store {store}", inactivity.last_sale[panel.store == store].max()) for store in stores]
    names += [(f"store {panel.store[s]}, item {panel.item[s]}", inactivity.last_sale[s])
              for s in np.flatnonzero(inactive & ~whole)]
    if names:
        listed = list_some([f"{name} since {last}" for name, last in names])
        messages.append(f"no sales where some were expected: {listed}. Closed, delisted, or a missing feed?")
    end = panel.column(day) + 1
    filled = (panel.status[~inactive, max(end - RECENT, 0):end] == FILLED).mean() if (~inactive).any() else 0.0
    if filled >= MISSING:
        messages.append(f"{filled:.0%} of the last {RECENT} days have no value and were filled: is the feed complete?")
    return messages
