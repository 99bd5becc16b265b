"""How the effects of holidays and other events are learned, in turns with weekdays and months (calendar_effect.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from demand.model.base.calendar_effect import CalendarEffect, calendars, labels_of
from demand.panel.panel import Panel

BETWEEN = 0.06**2  # variance of a label's log effect between the times that its event happens, where no other day tells
ORDINARY = 30  # days without a label that tell it: how far the sum of all series is off on them
BETWEEN_TIMES = 20  # times that it counts as
SPREAD = 0.10**2  # variance of log effects of the labels of an event, where few tell
SPREAD_LABELS = 4  # labels that it counts as
SWEEPS = 8  # over the labels of one fit
GROUPS = 10  # items or stores that the spread of all labels counts as, beside a label's own
LARGEST = 4.0  # of a log effect
LEAST = 1e-5  # variance of log effects
HALF = 0.5  # units, so that a day without sales has a finite log


class CalendarFit:
    """The effects of one panel while its factors are fitted in turns."""

    def __init__(self, panel: Panel, days: int) -> None:
        """Start without any effect; `days` says how many of the panel's days are looked at."""
        self.panel, self.days = panel, days
        self.parts = calendars(panel, days)
        labels = sorted({label for _, marked in self.parts for label in labels_of(marked)})
        self.code = {label: number for number, label in enumerate(labels)}
        self.marks = [(np.array([self.code[label] for label in labels_of(marked)]), np.unique(marked.day, return_inverse=True)[1])
                      for _, marked in self.parts]
        items, stores = np.unique(panel.item), np.unique(panel.store)
        zeros = [np.zeros((len(ids) + 1, len(labels)), "f4") for ids in (items, stores)]
        self.effect = CalendarEffect(tuple(labels), np.zeros(len(labels), "f4"), items, stores, *zeros)
        self.factors = self.effect.on(panel, days)

    def step(self, sales: np.ndarray, expected: np.ndarray) -> np.ndarray | float:
        """Fit the effects anew; the factor (S, D) by which the expected sales, which hold the effects so far, change.

        Args:
            sales, expected: (S, D), weighted so that the variance of `sales` is `expected`; 0 on days that teach nothing.
        """
        if not self.code:
            return 1.0
        before = self.factors
        sold, due = ([values[np.ix_(series, days)] for series, days, _ in before] for values in (sales, expected))
        times = self.times(sold, due)
        days = np.setdiff1d(np.arange(sales.shape[1]), np.concatenate([days for _, days, _ in before]))
        between = day_variance(sales.sum(axis=0)[days], expected.sum(axis=0)[days])
        pooled = fit_pooled(times, np.array([name for name, _ in self.effect.labels]), self.effect.pooled.astype("f8"), between)
        due = self.change(due, pooled=pooled.astype("f4"))
        for field, ids in (("by_item", self.panel.item), ("by_store", self.panel.store)):
            group = np.unique(ids, return_inverse=True)[1]
            if group.max() > 0:
                total, wanted = (self.label_sums(values, group) for values in (sold, due))
                log = deviations(total, wanted, getattr(self.effect, field)[:-1], times.overlap(len(self.code)))
                due = self.change(due, **{field: np.vstack([log, np.zeros(len(self.code))]).astype("f4")})
        factor = np.ones(sales.shape, "f4")
        for (series, days, now), (_, _, then) in zip(self.factors, before, strict=True):
            factor[np.ix_(series, days)] = now / then
        return factor

    def change(self, due: list[np.ndarray], **effects: Any) -> list[np.ndarray]:
        """The expected sales (n, U) of each calendar under new effects, which are kept."""
        before, self.effect = self.factors, replace(self.effect, **effects)
        self.factors = self.effect.on(self.panel, self.days)
        return [values * now / then for values, (_, _, now), (_, _, then) in zip(due, self.factors, before, strict=True)]

    def label_sums(self, values: list[np.ndarray], group: np.ndarray) -> np.ndarray:
        """(G, L) sums of each calendar's values (n, U) over the series of each group and the days of each label."""
        total = np.zeros((int(group.max()) + 1, len(self.code)))
        for (series, _), (label, at), part in zip(self.parts, self.marks, values, strict=True):
            present, row = np.unique(group[series], return_inverse=True)
            by_day = np.zeros((len(present), part.shape[1]))
            np.add.at(by_day, row, part)
            first = np.flatnonzero(np.diff(label, prepend=-1))
            total[np.ix_(present, label[first])] += np.add.reduceat(by_day[:, at], first, axis=1)
        return total

    def times(self, sold: list[np.ndarray], due: list[np.ndarray]) -> Times:
        """The labelled days of all calendars, and the sums over their series."""
        days = np.cumsum([0, *(part.shape[1] for part in sold)])
        label = np.concatenate([codes for codes, _ in self.marks])
        order = np.argsort(label, kind="stable")
        cell = np.concatenate([at + first for (_, at), first in zip(self.marks, days, strict=False)])
        start = np.concatenate([marked.start for _, marked in self.parts])
        return Times(label[order], start[order], cell[order], *(np.concatenate([part.sum(axis=0) for part in values])
                                                              for values in (sold, due)))


@dataclass(frozen=True)
class Times:
    """M labelled days of all calendars, sorted by label.

    Attributes:
        label: (M,); time: (M,) which of the times that the label's event happened; cell: (M,) the day of a calendar.
        sold, due: (C,) sums over the series of each day of a calendar.
    """

    label: np.ndarray
    time: np.ndarray
    cell: np.ndarray
    sold: np.ndarray
    due: np.ndarray

    def overlap(self, count: int) -> np.ndarray:
        """(L,) how many labels the days of each label carry, on average."""
        carried = np.bincount(self.cell)[self.cell]
        return np.bincount(self.label, carried, count) / np.bincount(self.label, minlength=count)


def day_variance(sold: np.ndarray, due: np.ndarray) -> float:
    """Variance of log(sold / due) of days (N,) beyond chance, from their median absolute deviation."""
    trading = due > 1e-9
    if trading.sum() < ORDINARY:
        return BETWEEN
    ratio = np.log((sold[trading] + HALF) / (due[trading] + HALF))
    squares = np.median(np.abs(ratio - np.median(ratio))) ** 2 / 0.6745**2
    return max(float(squares - np.median(1 / (due[trading] + HALF))), LEAST)


def fit_pooled(times: Times, event: np.ndarray, effect: np.ndarray, ordinary: float) -> np.ndarray:
    """(L,) log effects of all series, each label in turn while the others of its days stand.

    Args:
        event: (L,) which labels share a spread; effect: (L,) those so far, which `times.due` holds.
        ordinary: variance of log sales of a day without a label, around what is expected.
    """
    names, family = np.unique(event, return_inverse=True)
    eta = np.bincount(times.cell, effect[times.label], len(times.due))
    bare, effect = times.due * np.exp(-eta), effect.copy()
    edges = np.searchsorted(times.label, np.arange(len(effect) + 1))
    parts = [(times.cell[a:b], np.unique(times.time[a:b], return_inverse=True)[1]) for a, b in pairwise(edges)]
    between, spread = ordinary, np.full(len(effect), SPREAD)
    for _ in range(SWEEPS):
        mean, precision, excess, freedom = np.zeros(len(effect)), np.zeros(len(effect)), 0.0, 0
        for label, (cell, time) in enumerate(parts):
            wanted = np.bincount(time, bare[cell] * np.exp(eta[cell] - effect[label]))
            seen = wanted > 1e-9
            if seen.any():
                sold, due = np.bincount(time, times.sold[cell])[seen] + HALF, wanted[seen] + HALF
                ratio, weight = np.log(sold / due), 1 / (1 / due + between)
                precision[label] = weight.sum()
                mean[label] = (weight * ratio).sum() / precision[label]
                excess += float(((ratio - mean[label]) ** 2).sum() - (1 / due).sum() * (1 - 1 / len(due)))
                freedom += len(due) - 1
            new = precision[label] * mean[label] / (precision[label] + 1 / spread[label])
            new = float(np.clip(new, -LARGEST, LARGEST))
            eta[cell] += new - effect[label]
            effect[label] = new
        between = max(excess + BETWEEN_TIMES * ordinary, 0.0) / (freedom + BETWEEN_TIMES)
        spread = spreads(mean, precision, family, len(names))
    return effect


def spreads(mean: np.ndarray, precision: np.ndarray, family: np.ndarray, families: int) -> np.ndarray:
    """(L,) variance of true log effects within the event of each label, pulled to that of all labels."""
    known = precision > 0
    beyond = np.where(known, mean**2 - 1 / np.where(known, precision, 1), 0)
    overall = max((beyond.sum() + SPREAD_LABELS * SPREAD) / (known.sum() + SPREAD_LABELS), LEAST)
    own = np.bincount(family, beyond, families) + SPREAD_LABELS * overall
    return np.maximum(own / (np.bincount(family, known, families) + SPREAD_LABELS), LEAST)[family]


def deviations(sold: np.ndarray, due: np.ndarray, current: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    """(G, L) log deviations of items or stores from the effects of all series.

    Args:
        sold, due: (G, L), `due` holds the deviations so far, `current`.
        overlap: (L,) labels that share its days: each takes its part of what is left, so that they do not take it twice.
    """
    seen = due > 1e-9
    chance = 1 / (np.where(seen, due, 0) + HALF)
    target = np.where(seen, np.log((sold + HALF) * chance) + current, 0)
    weight = np.where(seen, 1 / (chance + SPREAD), 0)
    beyond, total = weight * (target**2 - chance), weight.sum(axis=0)
    overall = max(float(beyond.sum() / max(total.sum(), 1e-9)), 0.0)
    own = np.divide(beyond.sum(axis=0), total, out=np.zeros(len(total)), where=total > 0)
    count = seen.sum(axis=0)
    spread = np.maximum((count * own + GROUPS * overall) / (count + GROUPS), 0)
    shrunk = np.where(seen, target * spread / (spread + chance), 0)
    moved: np.ndarray = current + (shrunk - current) / overlap
    return np.clip(moved, -LARGEST, LARGEST)
