"""The section `drift` of params.yaml."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Positive, Section, Share


class DriftParams(Section):
    """When what has happened since is evidence against the champion: docs/decisions/0005-drift.md."""

    section: ClassVar[str] = "drift"

    mape_tolerance: float = Field(gt=0, description="tolerated relative rise of MAPE over the backtest's for the same season")
    level_tolerance: float = Field(gt=0, description="tolerated relative deviation of a segment's sales from the forecast")
    sigmas: float = Field(gt=1, description="standard deviations from which a segment counts; one more for all sales, weekdays")
    volume: Share = Field(description="share of all expected sales whose segments must have moved")
    silent_days: Positive = Field(description="days without a sale, where some were expected, that make a series a data problem")
    sample_rows: Positive = Field(description="rows that Evidently compares")
    column_share: Share = Field(description="share of columns that must differ from the same season a year ago for data drift")
