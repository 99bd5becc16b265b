"""The verdict as a summary record, which the drift stage writes to reports/drift_summary.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from demand.backtest.error_model import ErrorModel, read_error_model
from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.champion.champion_record import Champion
from demand.drift.findings import Finding, Verdict, drifted
from demand.drift.reasons import reasons
from demand.drift.summary_record import DriftSummary, FindingRecord, SegmentRecord
from demand.schema.listing import SHOWN

CURRENT, BASELINE = ("mae", "rmse", "mape", "smape", "wape", "bias"), ("mae", "rmse", "mape")  # figures of the summary
FIGURES = tuple(f"{when}_{name}" for when, names in (("current", CURRENT), ("baseline", BASELINE)) for name in names)


def figures(residuals: Residuals, error_model: ErrorModel | None) -> dict[str, float | None]:
    """current_*: the champion's errors on these days; baseline_*: the errors that its backtest makes expected on them.

    None where no day says anything about demand; baseline_* are None without an error model.
    """
    known = ~np.isnan(residuals.sales)
    values: dict[str, float | None] = dict.fromkeys(FIGURES)
    if not known.any():
        return values
    actual = errors(residuals.sales, residuals.forecast)
    values |= {f"current_{name}": actual[name] for name in CURRENT}
    if error_model is not None:
        expected = expected_errors(residuals.forecast[known], residuals.sd[known])
        values |= {f"baseline_{name}": getattr(error_model.error_per_sd, name) * expected[name] for name in BASELINE}
    return values


def finding_record(finding: Finding, through: np.datetime64) -> FindingRecord:
    """A finding with its largest segments, of a window that ends on that day."""
    largest = list(zip(finding.names, finding.change.tolist(), finding.limit.tolist(), strict=True))[:SHOWN]
    return FindingRecord(
        kind=finding.kind, what=finding.what, days=finding.window, through=through.astype(object), share=finding.share,
        confirmed=finding.confirmed,
        segments=tuple(SegmentRecord(name=name, change=change, limit=limit) for name, change, limit in largest))


def drift_summary(verdict: Verdict, champion: Champion | None, problems: Sequence[str], ended: Sequence[str],
                  data: dict[str, Any]) -> DriftSummary:
    """The whole summary.

    Args:
        champion: the one that was judged.
        problems, ended: data problems, and series without a sale for a year, in words.
        data: `data_drift_detected` and `data_drift` (evidently_report.data_summary).
    """
    error_model = read_error_model(champion.baseline) if champion else None
    findings = [finding_record(finding, verdict.newest) for finding in verdict.findings]
    if verdict.confirmed is not None and verdict.confirmed != verdict.newest:
        findings += [finding_record(finding, verdict.confirmed) for finding in verdict.confirmed_findings]
    return DriftSummary.model_validate({
        "as_of": str(verdict.newest), "champion": champion and champion.version,
        "trained_through": champion and champion.trained_through, "train_through": verdict.train_through,
        "retrain": verdict.retrain, "reasons": reasons(verdict, error_model),
        "concept_drift_detected": drifted(verdict.findings),
        **(figures(verdict.residuals, error_model) if verdict.residuals else {}),
        "backtest_mape": champion and champion.baseline.get("mape"),
        "findings": findings, "data_problems": problems, "ended_series": ended, **data})
