"""Is the champion wrong by more than expected, and is it worth a training?

A deviation (demand/backtest/segments.py) counts when it is large enough to matter and too improbable for sampling error; the
segments that moved must make up a share of all sales. Drift once confirmed stays confirmed until the champion is replaced:
`train_through` never falls back to an earlier day while the same champion serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals
from demand.backtest.segments import EVERYTHING, WEEKDAY, Deviations, series_segments
from demand.drift.drift_params import DriftParams
from demand.drift.group_test import GROUP_SIGMAS, group_test
from demand.drift.measures import COMMON, ERROR, LEVEL, Measure, measures


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
        confirmed_findings: what moved on that day.
        mape_limit: relative rise of the newest days' MAPE over what is expected, from which it is an alarm.
    """

    newest: np.datetime64
    trained_through: date | None = None
    obstacle: str | None = None
    seen: Residuals | None = None
    findings: Sequence[Finding] = ()
    confirmed: np.datetime64 | None = None
    confirmed_findings: Sequence[Finding] = ()
    mape_limit: float | None = None

    @property
    def retrain(self) -> bool:
        return self.obstacle is not None or self.confirmed is not None

    @property
    def train_through(self) -> str:
        """The last day that a model should be trained on."""
        return str(self.newest if self.obstacle else self.confirmed or self.trained_through)


def judge(seen: Residuals, normal: ErrorModel, rules: DriftParams,
          measured: Sequence[Measure] | None = None) -> list[Finding]:
    """What moved, judged by what is normal (deviation.normal); `measured` are the measures of it, where they are there already.

    Single series that moved beyond all doubt, but are not worth a training, are told and then set aside: they must not make a
    whole store look as if it had moved.
    """
    findings = findings_of(measures(seen, normal) if measured is None else measured, rules)
    if all(found.confirmed for found in findings):
        return findings
    kind, names = series_segments(seen)
    told = [found for found in findings if found.kind == kind and not found.confirmed]
    if not told or any(found.kind == kind and found.confirmed for found in findings):
        return findings
    alone = np.isin(names, [name for found in told for name in found.names])
    return told + findings_of(measures(seen.without(alone), normal), rules)


def findings_of(measured: Sequence[Measure], rules: DriftParams) -> list[Finding]:
    """What is beyond the limits."""
    return [found for one in measured if (found := finding(one, rules)) is not None]


def finding(measure: Measure, rules: DriftParams) -> Finding | None:
    """The segments that are off by more than the tolerance and chance, and whether they make up the volume: one by one, or as a
    crowd. Where they do not, only those stay that are beyond all doubt: of hundreds of series, a few are always far off.
    """
    tolerance = log_tolerance(measure, rules)
    if not (measure.size >= np.maximum(tolerance, min(GROUP_SIGMAS, rules.sigmas) * measure.sd)).any():
        return None
    kind, found, size, sd = measure.kind, measure.found, measure.size, measure.sd
    limit = alarm_limit(measure, rules)
    moved = size >= limit
    confirmed = enough(kind, found, moved, rules)
    if not confirmed:
        limit_of_many = np.maximum(tolerance, GROUP_SIGMAS * sd)
        together = group_test(measure, limit_of_many, rules)
        confirmed = bool(together.any())
        moved, limit = (together, limit_of_many) if confirmed else (size >= np.maximum(tolerance, (rules.sigmas + 1) * sd), limit)
    if not moved.any():
        return None
    order = np.flatnonzero(moved)[np.argsort(-found.due[moved], kind="stable")]
    names, share = [found.names[g] for g in order], float(found.due[order].sum() / max(found.due.sum(), 1e-9))
    normal_up_to = np.abs(np.expm1(np.copysign(limit, measure.change)))
    return Finding(kind, measure.what, measure.window, names, np.expm1(measure.change[order]), normal_up_to[order], share,
                   confirmed)


def log_tolerance(measure: Measure, rules: DriftParams) -> float:
    """The change that is let pass whatever the sampling error, in logs."""
    return float(np.log1p(rules.level_tolerance if measure.what == LEVEL else rules.mape_tolerance))


def alarm_limit(measure: Measure, rules: DriftParams) -> np.ndarray:
    """(G,) from where on a segment counts by itself, in logs."""
    return np.maximum(log_tolerance(measure, rules), (rules.sigmas + (measure.kind in COMMON)) * measure.sd)


def mape_limit(measured: Sequence[Measure], rules: DriftParams) -> float | None:
    """The relative rise of MAPE from which it is an alarm; None where no error is measured."""
    whole = [measure for measure in measured if (measure.kind, measure.what) == (EVERYTHING, ERROR)]
    limit = float(np.expm1(alarm_limit(whole[0], rules)[0])) if whole else float("nan")
    return limit if np.isfinite(limit) else None


def enough(kind: str, found: Deviations, moved: np.ndarray, rules: DriftParams) -> bool:
    """Whether the segments that moved are worth a training; one weekday alone may be a holiday."""
    return bool(found.due[moved].sum() >= rules.volume * found.due.sum() and moved.sum() >= (2 if kind == WEEKDAY else 1))


def drifted(findings: Sequence[Finding]) -> bool:
    """Whether any of it is worth a training."""
    return any(found.confirmed for found in findings)
