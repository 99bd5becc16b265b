"""The section `prepare` of params.yaml."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Positive, Section


class PrepareParams(Section):
    """How the panel is cleaned. No rule looks at later days than the one it judges."""

    section: ClassVar[str] = "prepare"

    fill_weeks: Positive = Field(description="a missing day takes the median of so many last sales on its weekday")
    closed_probability: float = Field(gt=0, lt=1, description="a zero that demand gives less often than this is a closed day")
    outlier_z: float = Field(gt=0, description="robust standard deviations above what was expected")
    outlier_factor: float = Field(gt=1, description="times what was expected, squared when something is planned for the day")


DEFAULTS = PrepareParams(fill_weeks=8, closed_probability=0.001, outlier_z=8.0, outlier_factor=3.0)  # where no params.yaml is
