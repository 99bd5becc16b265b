"""Is the champion wrong by more than expected, and is it worth a training?

A deviation (demand/backtest/segments.py) counts when it is large enough to matter and too improbable for sampling error; the
segments that moved must make up a share of all sales. Drift once confirmed stays confirmed until the champion is replaced:
`train_through` never falls back to an earlier day while the same champion serves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals
from demand.backtest.segments import EVERYTHING, WEEKDAY, Deviations, series_segments
from demand.drift.drift_params import DriftParams
from demand.drift.findings import Finding
from demand.drift.group_test import GROUP_SIGMAS, group_test
from demand.drift.measures import COMMON, ERROR, LEVEL, Measure, measures


def judge(residuals: Residuals, error_model: ErrorModel, rules: DriftParams) -> list[Finding]:
    """The segments that moved."""
    return judge_measures(measures(residuals, error_model), residuals, error_model, rules)


def judge_measures(measured: Sequence[Measure], residuals: Residuals, error_model: ErrorModel,
                   rules: DriftParams) -> list[Finding]:
    """The segments that moved, from the measures of the residuals.

    Single-series shifts too small to retrain are reported, then excluded, and the rest is tested again: they must not make a
    whole store look as if it had moved.
    """
    findings = findings_of(measured, rules)
    if all(finding.confirmed for finding in findings):
        return findings
    kind, names = series_segments(residuals)
    small_shifts = [finding for finding in findings if finding.kind == kind and not finding.confirmed]
    if not small_shifts or any(finding.kind == kind and finding.confirmed for finding in findings):
        return findings
    excluded = np.isin(names, [name for finding in small_shifts for name in finding.names])
    return small_shifts + findings_of(measures(residuals.without(excluded), error_model), rules)


def findings_of(measured: Sequence[Measure], rules: DriftParams) -> list[Finding]:
    """The findings of the measures that have segments beyond their limits."""
    return [finding for measure in measured if (finding := find(measure, rules)) is not None]


def find(measure: Measure, rules: DriftParams) -> Finding | None:
    """The segments that are off by more than the tolerance and sampling error, one by one or as a group; None without any.

    Drift is confirmed where their expected sales make up the volume. Where they do not, only segments one sigma further out are
    reported: of hundreds of series, a few are always far off.
    """
    tolerance = log_tolerance(measure, rules)
    if not (measure.size >= np.maximum(tolerance, min(GROUP_SIGMAS, rules.sigmas) * measure.sd)).any():
        return None
    limit = alarm_limit(measure, rules)
    moved = measure.size >= limit
    confirmed = worth_a_training(measure.kind, measure.deviations, moved, rules)
    if not confirmed:
        group_limit = np.maximum(tolerance, GROUP_SIGMAS * measure.sd)
        group = group_test(measure, group_limit, rules)
        confirmed = bool(group.any())
        if confirmed:
            moved, limit = group, group_limit
        else:
            moved = measure.size >= np.maximum(tolerance, (rules.sigmas + 1) * measure.sd)
    return finding_of(measure, moved, limit, confirmed) if moved.any() else None


def finding_of(measure: Measure, moved: np.ndarray, limit: np.ndarray, confirmed: bool) -> Finding:
    """The finding of the segments that moved, (G,) bool, beyond limits (G,) in logs."""
    names, expected = measure.deviations.names, measure.deviations.expected
    order = np.flatnonzero(moved)[np.argsort(-expected[moved], kind="stable")]
    share = float(expected[order].sum() / max(expected.sum(), 1e-9))
    normal_up_to = np.abs(np.expm1(np.copysign(limit, measure.change)))
    return Finding(measure.kind, measure.what, measure.window, [names[g] for g in order], np.expm1(measure.change[order]),
                   normal_up_to[order], share, confirmed)


def log_tolerance(measure: Measure, rules: DriftParams) -> float:
    """The change that is tolerated whatever the sampling error, in logs."""
    return float(np.log1p(rules.level_tolerance if measure.what == LEVEL else rules.mape_tolerance))


def alarm_limit(measure: Measure, rules: DriftParams) -> np.ndarray:
    """(G,) the size from which a segment counts by itself, in logs."""
    return np.maximum(log_tolerance(measure, rules), (rules.sigmas + (measure.kind in COMMON)) * measure.sd)


def mape_limit(measured: Sequence[Measure], rules: DriftParams) -> float | None:
    """The relative rise of MAPE from which it is an alarm; None where no error is measured."""
    everything = [measure for measure in measured if (measure.kind, measure.what) == (EVERYTHING, ERROR)]
    limit = float(np.expm1(alarm_limit(everything[0], rules)[0])) if everything else float("nan")
    return limit if np.isfinite(limit) else None


def worth_a_training(kind: str, deviations: Deviations, moved: np.ndarray, rules: DriftParams) -> bool:
    """Whether the segments that moved, (G,) bool, make up the volume; one weekday alone may be a holiday."""
    expected = deviations.expected
    return bool(expected[moved].sum() >= rules.volume * expected.sum() and moved.sum() >= (2 if kind == WEEKDAY else 1))
