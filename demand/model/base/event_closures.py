"""Stores that were closed on a holiday are closed on it again, whatever day it falls on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demand.model.base.calendar_effect import calendars
from demand.panel.panel import Panel

OLDER = 0.5  # weight of a time beside the next one: what a store does changes

# Of the series (N,) that are usually open on the weekday of a position: their positions, and which are closed.
OpenUsually = Callable[[int], tuple[np.ndarray, np.ndarray]]


def closed_on_events(panel: Panel, origin: int, horizon: int, open_usually: OpenUsually) -> np.ndarray:
    """(S, H) share of each store's series that were closed when the event of a day was there before; NaN on other days.

    The last time counts most. A store that was never seen open or closed at an event does what the others do.
    """
    chance = np.full((panel.n_series, horizon), np.nan)
    store = np.unique(panel.store, return_inverse=True)[1]
    past: dict[str, dict[int, np.ndarray]] = {}
    ahead = []
    for series, marked in calendars(panel, len(panel.dates)):
        follows = np.isin(np.arange(panel.n_series), series)
        for name, place, day in zip(marked.names, marked.places, marked.day.tolist(), strict=True):
            if place == "0" and day <= origin:
                past.setdefault(name, {})[day] = past.get(name, {}).get(day, False) | follows
            elif place == "0" and day <= origin + horizon:
                ahead.append((name, day, series))
    shares = {name: closed_share(store, past[name], open_usually) for name in {name for name, _, _ in ahead} if name in past}
    for name, day, series in ahead:
        if name in shares:
            h = day - origin - 1
            chance[series, h] = np.fmax(chance[series, h], shares[name][store[series]])
    return chance


def closed_share(store: np.ndarray, days: dict[int, np.ndarray], open_usually: OpenUsually) -> np.ndarray:
    """(stores,) share of each store's series that were closed at an event; NaN where no store tells.

    Args:
        store: (S,) codes.
        days: positions of the event's days, and (S,) bool whose event it is.
    """
    count = int(store.max()) + 1
    weighted, weight, age = np.zeros(count), np.zeros(count), np.zeros(count)
    for day in sorted(days, reverse=True):
        series, closed = open_usually(day)
        kept = days[day][series]
        total = np.bincount(store[series[kept]], minlength=count)
        share = np.bincount(store[series[kept]], closed[kept], count) / np.maximum(total, 1)
        now = np.where(total > 0, OLDER**age, 0)
        weighted, weight, age = weighted + now * share, weight + now, age + (total > 0)
    everyone = float(weighted.sum() / weight.sum()) if weight.sum() > 0 else np.nan
    return np.divide(weighted, weight, out=np.full(count, everyone), where=weight > 0)
