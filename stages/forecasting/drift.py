"""The judgement: is the champion wrong by more than is normal, where, and what is to be done. Its report is made elsewhere.

A deviation (stages/forecasting/deviation.py) counts when it is large enough to matter and improbable enough to be believed;
the segments that moved must make up a share of all sales that is worth a training. Drift once confirmed stays confirmed until the
champion is replaced: `train_through` never falls back to an earlier day while the same champion serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from stages.forecasting.deviation import (
    EVERYTHING,
    WEEKDAY,
    WINDOWS,
    Deviations,
    Outcome,
    deviations,
    finest,
    windows,
)
from stages.forecasting.params import Drift

LEVEL, ERROR = "level", "error"
COMMON = (EVERYTHING, WEEKDAY)  # what all series do together: a backtest shows little of it, so one sigma more is asked
MANY, BY_CHANCE = 2.0, 0.0228  # standard deviations from which a segment counts in a crowd, and how many are there by chance
REVIEW = max(WINDOWS)  # days, up to the one on which the champion is judged


@dataclass(frozen=True)
class Finding:
    """Segments of one kind that moved in the last `window` days, the largest first.

    Attributes:
        what: LEVEL, sales against forecast, or ERROR, forecast error against normal.
        change: (G,) relative: sales beside the forecast (and, for a part, beside how far all sales are off), error beside normal.
        limit: (G,) how far from 0 is normal.
        share: of all that was forecast, in these segments.
        confirmed: whether that share is worth a training.
    """

    kind: str
    what: str
    window: int
    names: list[str]
    change: np.ndarray
    limit: np.ndarray
    share: float
    confirmed: bool


@dataclass(frozen=True)
class Verdict:
    """What the drift stage found.

    Attributes:
        newest: the newest day with sales.
        trained_through: last day of the champion's training, None without a champion.
        obstacle: why there is no champion to judge; then a model is to be trained on everything.
        seen, findings: what came of the champion's forecast of the newest days, and what moved; None where it is too early.
        confirmed: the newest day on which drift was confirmed, None where there was none since the training.
    """

    newest: np.datetime64
    trained_through: date | None = None
    obstacle: str | None = None
    seen: Outcome | None = None
    findings: Sequence[Finding] = ()
    confirmed: np.datetime64 | None = None

    @property
    def retrain(self) -> bool:
        return self.obstacle is not None or self.confirmed is not None

    @property
    def train_through(self) -> str:
        """The last day that a model should be trained on."""
        return str(self.newest if self.obstacle else self.confirmed or self.trained_through)


@dataclass(frozen=True)
class Measure:
    """How far the G segments of one kind are off, and by how much they would be when nothing has happened.

    Attributes:
        kind, what, window: as in Finding.
        found: the segments.
        change: (G,) log of what came beside what was due; `size` is what is held against a limit.
        sd: (G,) standard deviation of it when nothing has happened.
    """

    kind: str
    what: str
    window: int
    found: Deviations
    change: np.ndarray
    sd: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """A level may be off to both sides, an error is wrong when it is large."""
        return np.abs(self.change) if self.what == LEVEL else self.change


def judge(seen: Outcome, normal: dict[str, Any], rules: Drift, measured: Sequence[Measure] | None = None) -> list[Finding]:
    """What moved, judged by what is normal (deviation.normal); `measured` are the measures of it, where they are there already.

    Single series that moved beyond all doubt, but are not worth a training, are told and then set aside: they must not make a
    whole store look as if it had moved.
    """
    findings = findings_of(measures(seen, normal) if measured is None else measured, rules)
    if all(found.confirmed for found in findings):
        return findings
    kind, names = finest(seen)
    told = [found for found in findings if found.kind == kind and not found.confirmed]
    if not told or any(found.kind == kind and found.confirmed for found in findings):
        return findings
    alone = np.isin(names, [name for found in told for name in found.names])
    return told + findings_of(measures(seen.without(alone), normal), rules)


def measures(seen: Outcome, normal: dict[str, Any]) -> list[Measure]:
    """By level in every window, by error and weekday in the longest."""
    made = []
    fitting = [window for window in windows(len(seen.dates)) if str(window) in normal["spread"]]
    for window in fitting:
        last = seen.days(len(seen.dates) - window, len(seen.dates))
        for kind, found in deviations(last, normal["error_per_sd"]).items():
            spread = normal["spread"][str(window)].get(kind)
            if spread is None or (kind == WEEKDAY and window < fitting[0]):
                continue
            sd = np.sqrt(spread[LEVEL] ** 2 + found.level_chance)
            made.append(Measure(kind, LEVEL, window, found, found.level, sd))
            if window == fitting[0]:
                sd = np.sqrt(spread[ERROR] ** 2 + found.error_chance)
                made.append(Measure(kind, ERROR, window, found, np.log(found.error), sd))
    return made


def findings_of(measured: Sequence[Measure], rules: Drift) -> list[Finding]:
    """What is beyond the limits."""
    return [found for one in measured if (found := finding(one, rules)) is not None]


def finding(measure: Measure, rules: Drift) -> Finding | None:
    """The segments that are off by more than the tolerance and chance, and whether they make up the volume: one by one, or as a
    crowd. Where they do not, only those stay that are beyond all doubt: of hundreds of series, a few are always far off.
    """
    tolerance = np.log1p(rules.level_tolerance if measure.what == LEVEL else rules.mape_tolerance)
    if not (measure.size >= np.maximum(tolerance, min(MANY, rules.sigmas) * measure.sd)).any():
        return None
    kind, found, size, sd = measure.kind, measure.found, measure.size, measure.sd
    limit = np.maximum(tolerance, (rules.sigmas + (kind in COMMON)) * sd)
    moved = size >= limit
    confirmed = enough(kind, found, moved, rules)
    if not confirmed:
        limit_of_many = np.maximum(tolerance, MANY * sd)
        together = crowd(measure, limit_of_many, rules)
        confirmed = bool(together.any())
        moved, limit = (together, limit_of_many) if confirmed else (size >= np.maximum(tolerance, (rules.sigmas + 1) * sd), limit)
    if not moved.any():
        return None
    order = np.flatnonzero(moved)[np.argsort(-found.due[moved], kind="stable")]
    names, share = [found.names[g] for g in order], float(found.due[order].sum() / max(found.due.sum(), 1e-9))
    normal_up_to = np.abs(np.expm1(np.copysign(limit, measure.change)))
    return Finding(kind, measure.what, measure.window, names, np.expm1(measure.change[order]), normal_up_to[order], share,
                   confirmed)


def enough(kind: str, found: Deviations, moved: np.ndarray, rules: Drift) -> bool:
    """Whether the segments that moved are worth a training; one weekday alone may be a holiday."""
    return bool(found.due[moved].sum() >= rules.volume * found.due.sum() and moved.sum() >= (2 if kind == WEEKDAY else 1))


def crowd(measure: Measure, limit: np.ndarray, rules: Drift) -> np.ndarray:
    """(G,) bool: the segments beyond the limit on one side, if they are more, and sell more, than chance puts there; else none.

    A series that sells a few units a day is never far beyond chance by itself. A tenth of all series on the same side of it are.
    How many of so many coins fall on one side by chance is Bernstein's inequality, at the odds of `sigmas`.
    """
    due, odds = measure.found.due, rules.sigmas**2 / 2
    most = odds / (3 * len(due))
    many = BY_CHANCE + most + np.sqrt(most**2 + 2 * odds * BY_CHANCE / len(due))
    for side in (1, -1) if measure.what == LEVEL else (1,):
        beyond = side * measure.change >= limit
        if beyond.mean() >= many and due[beyond].sum() >= (BY_CHANCE + rules.volume) * due.sum():
            return beyond
    return np.zeros(len(due), bool)


def drifted(findings: Sequence[Finding]) -> bool:
    """Whether any of it is worth a training."""
    return any(found.confirmed for found in findings)


def review_days(since: int) -> range:
    """Days after the training on which a champion is judged, `since` of them by now: the newest first. Too early is no day."""
    return range(since, min(windows(REVIEW)) - 1, -1)


def origin_of(day: int, horizon: int) -> tuple[int, int]:
    """From where the champion forecasts the window that ends `day` days after its training, and how far; in days after it.

    Origins stand apart by as much as the horizon leaves beside the window. So one forecast serves many days, and a day is judged
    alike whenever that is done.
    """
    step = min(REVIEW, max(horizon - REVIEW, 7))
    return step * max((day - REVIEW) // step, 0), REVIEW + step - 1


def confirmed_through(days: range, drift_on: Callable[[int], bool]) -> int | None:
    """The newest of the days on which drift was confirmed."""
    return next((day for day in days if drift_on(day)), None)
