"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from pydantic import Field

from demand.schema.sections import Positive, Section


class ForecastParams(Section):
    """What is forecast."""

    horizon: Positive = Field(description="days ahead")
