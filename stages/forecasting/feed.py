"""Problems of the data that must not pass for drift: series that fell silent, days that are missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.forecasting.panel import FILLED, Panel

BEFORE = 56  # days that say what was due
DUE = 20.0  # units that must have been due for silence to be no chance
MISSING = 0.2  # share of the recent series and days without a value
RECENT = 28  # days
GONE = 366  # days without a sale after which a series is no news
SHOWN = 5  # series or stores that a message names


@dataclass(frozen=True)
class Silence:
    """(S,): whether a series fell silent, and the last day on which it sold."""

    silent: np.ndarray
    last_sale: np.ndarray


def silence(panel: Panel, day: np.datetime64, days: int) -> Silence:
    """Series that on `day` have not sold for `days` days or more, although plan and past made at least DUE units due."""
    end = panel.column(day) + 1
    sold = panel.recorded[:, max(end - GONE, 0):end] > 0
    run = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), end)
    planned, trading = closed_by_plan(panel), panel.trading
    silent = np.zeros(panel.n_series, bool)
    for s in np.flatnonzero(run >= days):
        before = slice(max(end - run[s] - BEFORE, 0), end - run[s])
        traded = panel.sales[s, before][trading[s, before]]
        due = traded.mean() * (~planned[s, end - run[s]:end]).sum() if len(traded) else 0.0
        silent[s] = due >= DUE
    return Silence(silent, panel.dates[np.maximum(end - run, 1) - 1])


def closed_by_plan(panel: Panel) -> np.ndarray:
    """(S, D) bool: the known-future column `open` says closed. Without it, every closed day is one that needs a reason."""
    if "open" not in panel.known_names:
        return np.zeros(panel.sales.shape, bool)
    return panel.known[:, :, panel.known_names.index("open")] == 0


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
