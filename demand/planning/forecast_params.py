"""The section `forecast` of params.yaml."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Positive, Section


class ForecastParams(Section):
    """What is forecast."""

    section: ClassVar[str] = "forecast"

    horizon: Positive = Field(le=3660, description="days ahead")
