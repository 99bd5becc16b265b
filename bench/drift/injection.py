"""Drift that is put into sales whose own course is known: from one day on, in some series."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.model.base.factors import Factors
from demand.panel.calendar import months, weekdays
from demand.panel.panel import Panel

SHIFT = 0.25  # of a level, up or down
GROWTH = 0.5  # a year, up or down, on top of what there was
RAMP = 84  # days over which a slow shift comes
WEEKS = 4  # on both sides, whose same weekday says what a day would have been without noise


@dataclass(frozen=True)
class Kind:
    """One kind of drift.

    Attributes:
        what: level, growth, ramp, weekday, season or noise.
        where: all, fifth (of the series), store (one of them) or tenth (of the volume, in whole series).
        follow: days that are looked at from its first day on.
    """

    title: str
    what: str
    where: str = "all"
    follow: int = 28


KINDS = {
    "level": Kind("level ±25 %, all series", "level"),
    "level_fifth": Kind("level ±25 %, a fifth of the series", "level", "fifth"),
    "level_store": Kind("level ±25 %, one store", "level", "store"),
    "level_tenth": Kind("level ±25 %, a tenth of the volume", "level", "tenth"),
    "weekday": Kind("weekdays moved by three days", "weekday"),
    "season": Kind("season moved by three months", "season"),
    "noise": Kind("noise doubled", "noise"),
    "ramp": Kind("slow ramp: ±25 % within 12 weeks", "ramp", follow=182),
    "growth": Kind("growth ±50 % a year", "growth", follow=182),
}


def chosen(panel: Panel, where: str, rng: np.random.Generator) -> np.ndarray:
    """(S,) bool: the series that change."""
    if where == "all":
        return np.ones(panel.n_series, bool)
    if where == "store":
        return panel.store == rng.choice(np.unique(panel.store))
    order = rng.permutation(panel.n_series)
    if where == "fifth":
        count = max(round(panel.n_series / 5), 1)
    else:
        volume = np.nansum(panel.sales, axis=1)[order]
        count = int(np.searchsorted(np.cumsum(volume), volume.sum() / 10)) + 1
    return np.isin(np.arange(panel.n_series), order[:count])


def inject(panel: Panel, factors: Factors, kind: Kind, first: np.datetime64, rng: np.random.Generator) -> Panel:
    """The panel with the drift from the day `first` on; days before it, closed days and series outside are as they were.

    What was a whole number stays one, by chance up or down, so that the mean is right.
    """
    start, sign = panel.column(first), rng.choice([-1, 1])
    rows, days = chosen(panel, kind.where, rng), np.arange(len(panel.dates) - start)
    dates = panel.dates[start:]
    multiple = np.ones((int(rows.sum()), len(days)))
    if kind.what == "level":
        multiple *= 1 + sign * SHIFT
    elif kind.what == "ramp":
        multiple *= 1 + sign * SHIFT * np.minimum((days + 1) / RAMP, 1)
    elif kind.what == "growth":
        multiple *= (1 + GROWTH) ** (sign * (days + 1) / 365.25)
    elif kind.what == "weekday":
        shape = factors.weekday[factors.rows(panel)][rows]
        multiple = shape[:, (weekdays(dates) + 3) % 7] / shape[:, weekdays(dates)]
    elif kind.what == "season":
        shape = factors.month[factors.rows(panel)][rows]
        multiple = shape[:, (months(dates) + 3) % 12] / shape[:, months(dates)]
    sales = panel.sales.copy()
    now = sales[rows, start:].astype("f8")
    changed = now * multiple
    if kind.what == "noise":
        changed = np.maximum(2 * now - usual(panel, start)[rows], 0)
    down = np.floor(changed)
    changed = down + (rng.random(changed.shape) < changed - down)
    sales[rows, start:] = np.where(panel.trading[rows, start:], changed, now)
    recorded = np.where(panel.trading & ~np.isnan(panel.recorded), sales, panel.recorded)
    recorded[:, :start] = panel.recorded[:, :start]
    return replace(panel, sales=sales, recorded=recorded)


def usual(panel: Panel, start: int) -> np.ndarray:
    """(S, D - start) mean of the same weekday's trading days WEEKS before to WEEKS after each day, the day itself included."""
    total, count = (np.zeros(panel.sales[:, start:].shape) for _ in range(2))
    for week in range(-WEEKS, WEEKS + 1):
        at = np.arange(start, len(panel.dates)) + 7 * week
        there = (at >= 0) & (at < len(panel.dates))
        use = panel.trading[:, at[there]]
        total[:, there] += np.where(use, panel.sales[:, at[there]], 0)
        count[:, there] += use
    return total / np.maximum(count, 1)
