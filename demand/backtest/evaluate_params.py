"""The section `evaluate` of params.yaml."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from demand.schema.sections import Positive, Section


class EvaluateParams(Section):
    """The backtest."""

    section: ClassVar[str] = "evaluate"

    origins: Positive | Annotated[tuple[date, ...], Field(min_length=1)] = Field(
        description="how many, as far as the history reaches, the last one horizon before the newest day; or the days themselves")
    step_days: Positive = Field(description="days between the origins when their number is given")
