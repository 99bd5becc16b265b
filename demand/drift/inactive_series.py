"""Problems of the data that must not pass for drift: series that fell silent, days that are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.backtest.residuals import MIN_EXPECTED_UNITS
from demand.panel.panel import FILLED, OBSERVED, OUTLIER, Panel

BEFORE = 56  # days that say what was due
MISSING = 0.2  # share of the recent series and days without a value
RECENT = 14  # days
GONE = 366  # days without a sale after which a series is no news
SHOWN = 5  # series or stores that a message names


@dataclass(frozen=True)
class Silence:
    """(S,): whether a series fell silent, and the last day on which it sold; for the others the day that was looked at."""

    silent: np.ndarray
    last_sale: np.ndarray


def silence(panel: Panel, day: np.datetime64, days: int) -> Silence:
    """Series that on `day` have not sold for `days` days or more, although plan and past made at least DUE units due."""
    end = panel.column(day) + 1
    silent, last_sale = np.zeros(panel.n_series, bool), np.full(panel.n_series, day)
    for s in np.flatnonzero(~(panel.recorded[:, max(end - days, 0):end] > 0).any(axis=1)).tolist():
        since = max(end - GONE, 0)
        sold = np.flatnonzero(panel.recorded[s, since:end] > 0)
        if len(sold):
            stop = since + sold[-1] + 1
            before = slice(max(stop - BEFORE, 0), stop)
            traded = panel.sales[s, before][np.isin(panel.status[s, before], (OBSERVED, OUTLIER))]
            due = traded.mean() * open_by_plan(panel, s, slice(stop, end)).sum() if len(traded) else 0.0
            silent[s], last_sale[s] = due >= MIN_EXPECTED_UNITS, panel.dates[stop - 1]
    return Silence(silent, last_sale)


def ended(panel: Panel, day: np.datetime64) -> list[str]:
    """Series that sold nothing in the GONE days up to a day, though they did before: some by name, then how many more."""
    end = panel.column(day) + 1
    sold = panel.recorded[:, :end] > 0
    rows = np.flatnonzero(sold.any(axis=1) & ~sold[:, max(end - GONE, 0):].any(axis=1))
    names = [f"store {panel.store[s]}, item {panel.item[s]}" for s in rows[:SHOWN]]
    return names + ([f"{len(rows) - SHOWN} more"] if len(rows) > SHOWN else [])


def open_by_plan(panel: Panel, series: int, days: slice) -> np.ndarray:
    """(days,) bool: False where the known-future column `open` says closed. Without it, every closed day needs a reason."""
    if "open" not in panel.known_names:
        return np.ones(days.stop - days.start, bool)
    return panel.known[series, days, panel.known_names.index("open")] != 0


def problems(panel: Panel, found: Silence, day: np.datetime64) -> list[str]:
    """What is wrong, in words: whole stores first, then single series, then missing days."""
    said = []
    silent = found.silent
    stores = [store for store in np.unique(panel.store[silent]) if silent[panel.store == store].all()]
    whole = np.isin(panel.store, stores) if stores else np.zeros(len(silent), bool)
    names = [(f"store {store}", found.last_sale[panel.store == store].max()) for store in stores]
    names += [(f"store {panel.store[s]}, item {panel.item[s]}", found.last_sale[s]) for s in np.flatnonzero(silent & ~whole)]
    if names:
        shown = ", ".join(f"{name} since {last}" for name, last in names[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        said.append(f"no sales where some were due: {shown}{more}. Closed, delisted, or a missing feed?")
    end = panel.column(day) + 1
    filled = (panel.status[~silent, max(end - RECENT, 0):end] == FILLED).mean() if (~silent).any() else 0.0
    if filled >= MISSING:
        said.append(f"{filled:.0%} of the last {RECENT} days have no value and were filled: is the feed complete?")
    return said
