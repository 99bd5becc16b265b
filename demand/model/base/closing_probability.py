"""Days on which a series will be closed, and so sell nothing whatever the demand."""

from __future__ import annotations

import numpy as np

from demand.model.base.event_closures import closed_on_events
from demand.panel.calendar import calendar
from demand.panel.panel import CLOSED, OPEN, Panel, is_stated

WEEKS = 8  # looked back for a weekday's habit
CLOSED_FROM = 0.5  # chance of closing from which a day is forecast as closed


def chance_of_closing(panel: Panel, origin: int, horizon: int) -> np.ndarray:
    """(S, H) chance, 0 to 1, that each series is closed on each day after the origin.

    With a known-future column `open` it is planned, 0 or 1. Without one it is the share of closed days among the last 8 of that
    weekday or, where it is higher, the share of usually open series that were closed on that holiday: the same date, or the same
    distance from Easter, in every earlier year; and on the events of a calendar what the store did on them (event_closures.py).

    Args:
        origin: position of the origin on the panel's time axis; nothing after it but `open` is looked at.
    """
    target = origin + 1 + np.arange(horizon)
    if OPEN in panel.known_names:
        return (panel.known[:, target, panel.known_names.index(OPEN)] == 0).astype("f4")
    closed = panel.status[:, : origin + 1] == CLOSED
    if not closed.any():
        return np.zeros((panel.n_series, horizon), "f4")
    seen = is_stated(panel.status[:, : origin + 1])
    usual = habit(closed, seen, origin + 1)
    chance = usual[:, (target - origin - 1) % 7]
    facts = calendar(panel.dates)
    easter = facts["days_from_easter"]
    date = facts["month"].astype(int) * 100 + facts["day"]
    for h, day in enumerate(target):
        for same in (date[: origin + 1] == date[day], (easter[: origin + 1] == easter[day]) & (easter[day] != -99)):
            told = [share for past in np.flatnonzero(same) if (share := holiday_share(closed, seen, int(past))) is not None]
            if told:
                chance[:, h] = np.maximum(chance[:, h], min(told))
    if panel.events:
        on_events = closed_on_events(panel, origin, horizon, lambda day: open_usually(closed, seen, day))
        chance = np.where(np.isnan(on_events), chance, np.maximum(on_events, usual[:, (target - origin - 1) % 7])).astype("f4")
    return chance


def habit(closed: np.ndarray, seen: np.ndarray, end: int) -> np.ndarray:
    """(S, 7) share of closed days among those seen 1 to WEEKS whole weeks before positions end ... end + 6; 0 if none was."""
    back = end + np.arange(7)[:, None] - 7 * np.arange(1, WEEKS + 1)
    usable = (back >= 0) & (back < end)
    days = np.where(usable, back, 0)
    looked = seen[:, days] & usable
    return ((closed[:, days] & looked).sum(axis=2) / np.maximum(looked.sum(axis=2), 1)).astype("f4")


def holiday_share(closed: np.ndarray, seen: np.ndarray, day: int) -> float | None:
    """Of the series that were usually open on that weekday, the share that was closed on this day; None when nobody can tell."""
    usual, closed_then = open_usually(closed, seen, day)
    return float(closed_then.mean()) if len(usual) else None


def open_usually(closed: np.ndarray, seen: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the series that are usually open on that weekday and were seen on this day, and which of them were closed on it."""
    usual = np.flatnonzero(seen[:, day] & (habit(closed, seen, day)[:, 0] < 0.5) & (day >= 7))
    return usual, closed[usual, day]
