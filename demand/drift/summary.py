"""The verdict in figures and in words: reports/drift_summary.json."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from demand.backtest.error_model import ErrorModel, read_error_model
from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.champion.champion_record import Champion
from demand.drift.decision import Finding, Verdict, drifted
from demand.drift.reasons import SHOWN, reasons

CURRENT, BASELINE = ("mae", "rmse", "mape", "smape", "wape", "bias"), ("mae", "rmse", "mape")  # figures of the summary
FIGURES = tuple(f"{when}_{name}" for when, names in (("current", CURRENT), ("baseline", BASELINE)) for name in names)


class Record(BaseModel):
    """A part of the summary; what an older or newer release wrote beside it is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SegmentRecord(Record):
    """A segment that moved: its relative change, and how far from 0 is normal."""

    name: str
    change: float | None
    limit: float | None


class FindingRecord(Record):
    """Segments of one kind that moved, with the largest of them."""

    kind: str
    what: str
    days: int = Field(description="of the window")
    through: date | None = Field(None, description="its last day")
    confirmed: bool = Field(description="worth a training")
    share: float | None = Field(description="of all expected sales")
    segments: tuple[SegmentRecord, ...]


class ColumnRecord(Record):
    """Evidently's judgement of a column."""

    method: str
    distance: float | None
    drifted: bool


class DataDriftRecord(Record):
    """Whether the data look different: the last days beside the same season a year before."""

    season_matched: bool = False
    share_of_columns: float | None = Field(None, description="that have drifted; null where nothing can be compared")
    level_change: float | None = None
    recent: tuple[date, ...] = Field((), description="first and last day")
    reference: tuple[date, ...] = ()
    rows: int = 0
    threshold: float | None = None
    columns: dict[str, ColumnRecord] = Field(default_factory=dict)


class DriftSummary(Record):
    """reports/drift_summary.json. The figures are null where no day says anything about demand, or nothing is normal yet."""

    as_of: date = Field(description="newest day with sales")
    champion: str | None = Field(None, description="version that was judged")
    trained_through: date | None = None
    train_through: date | None = Field(None, description="the last day that a model should be trained on")
    retrain: bool
    reasons: tuple[str, ...] = ()
    concept_drift_detected: bool = False
    current_mae: float | None = None
    current_rmse: float | None = None
    current_mape: float | None = None
    current_smape: float | None = None
    current_wape: float | None = None
    current_bias: float | None = None
    baseline_mae: float | None = None
    baseline_rmse: float | None = None
    baseline_mape: float | None = None
    backtest_mape: float | None = None
    findings: tuple[FindingRecord, ...] = ()
    data_problems: tuple[str, ...] = ()
    ended_series: tuple[str, ...] = Field((), description="without a sale for a year; some by name, then how many more")
    data_drift_detected: bool = False
    data_drift: DataDriftRecord = DataDriftRecord()


def figures(seen: Residuals, normal: ErrorModel | None) -> dict[str, float | None]:
    """current_*: the champion's errors on these days; baseline_*: what its backtest makes normal for their season and horizon.

    None where no day says anything about demand; baseline_* are None without an error model.
    """
    known = ~np.isnan(seen.sales)
    found: dict[str, float | None] = dict.fromkeys(FIGURES)
    if not known.any():
        return found
    now = errors(seen.sales, seen.forecast)
    found |= {f"current_{name}": now[name] for name in CURRENT}
    if normal is not None:
        expected = expected_errors(seen.forecast[known], seen.sd[known])
        found |= {f"baseline_{name}": getattr(normal.error_per_sd, name) * expected[name] for name in BASELINE}
    return found


def finding_record(found: Finding, through: np.datetime64) -> FindingRecord:
    """A finding with its largest segments, of a window that ends on that day."""
    largest = list(zip(found.names, found.change.tolist(), found.limit.tolist(), strict=True))[:SHOWN]
    return FindingRecord(kind=found.kind, what=found.what, days=found.window, through=through.astype(object), share=found.share,
                         confirmed=found.confirmed,
                         segments=tuple(SegmentRecord(name=name, change=change, limit=limit) for name, change, limit in largest))


def drift_summary(verdict: Verdict, of: Champion | None, problems: Sequence[str], ended: Sequence[str],
                  data: dict[str, Any]) -> DriftSummary:
    """The whole summary.

    Args:
        of: the champion that was judged.
        problems, ended: data problems, and series without a sale for a year, in words.
        data: `data_drift_detected` and `data_drift` (evidently_report.data_summary).
    """
    normal = read_error_model(of.baseline) if of else None
    shown = figures(verdict.seen, normal) if verdict.seen else {}
    findings = [finding_record(found, verdict.newest) for found in verdict.findings]
    if verdict.confirmed is not None and verdict.confirmed != verdict.newest:
        findings += [finding_record(found, verdict.confirmed) for found in verdict.confirmed_findings]
    return DriftSummary.model_validate({
        "as_of": str(verdict.newest), "champion": of and of.version, "trained_through": of and of.trained_through,
        "train_through": verdict.train_through, "retrain": verdict.retrain, "reasons": reasons(verdict, normal),
        "concept_drift_detected": drifted(verdict.findings), **shown, "backtest_mape": of and of.baseline.get("mape"),
        "findings": findings, "data_problems": problems, "ended_series": ended, **data})
