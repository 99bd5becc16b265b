"""The section `promote` of params.yaml."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Section


class PromoteParams(Section):
    """When a candidate may become champion."""

    section: ClassVar[str] = "promote"

    tolerance: float = Field(ge=0, description="how much worse its SMAPE may be, relative to the champion's at the same origins")
