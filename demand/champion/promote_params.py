"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from pydantic import Field

from demand.schema.sections import Section


class PromoteParams(Section):
    """When a candidate may become champion."""

    tolerance: float = Field(ge=0, description="how much worse its SMAPE may be, relative to the champion's at the same origins")
