"""The section `train` of params.yaml."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from demand.schema.sections import Positive, Section


class TrainParams(Section):
    """How a model is fitted to the training window."""

    section: ClassVar[str] = "train"

    algorithm: Literal["xgboost", "random_forest"]
    base: Literal["auto", "structural", "level"] = Field(description="what the trees correct; auto: an inner backtest chooses")
    max_depth: Positive = Field(description="depth of a tree, levels")
    n_estimators: Positive = Field(description="trees; xgboost takes fewer when held-out days say so")
    learning_rate: float = Field(gt=0, le=1, description="share of each tree's correction that is taken; xgboost only")
    rows: Positive = Field(description="(series, origin, horizon) that are drawn to learn from")
    seed: int = Field(ge=0)
