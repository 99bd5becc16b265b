"""The section `drift` of params.yaml."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Positive, Section, Share


class DriftParams(Section):
    """When what has happened since is evidence against the champion: docs/decisions/0005-drift.md."""

    section: ClassVar[str] = "drift"

    mape_tolerance: float = Field(gt=0, description="relative rise of MAPE over what the backtest makes normal for those days")
    level_tolerance: float = Field(gt=0, description="a segment's sales this much off the forecast, relative, are let pass")
    sigmas: float = Field(gt=1, description="beyond what is normal, for one segment; one more for what all sales do together")
    volume: Share = Field(description="share of all sales that has to have moved")
    silent_days: Positive = Field(description="days without a sale, where some were expected, that make a series a data problem")
    sample_rows: Positive = Field(description="rows that Evidently compares")
    column_share: Share = Field(description="share of columns that have to differ from last year's season to call it data drift")
