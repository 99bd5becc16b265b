"""reports/drift_summary.json: the verdict in figures and in words, as its readers know it."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A part of the summary; what an older or newer release wrote beside it is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SegmentRecord(Record):
    """A segment that moved: its relative change, and the size up to which a change is normal."""

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
    """reports/drift_summary.json. The figures are null where no day says anything about demand, or without an error model."""

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
