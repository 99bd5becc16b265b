"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stages.forecasting.errors import UserError

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of params.yaml: frozen, and no key but these."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Section):
    """What the pipeline sees."""

    source: str = Field(description="CSV or Parquet file with the columns date, store, item, sales")
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str | None = Field(description="CSV with id, date, store, item: writes data/forecast/submission.csv")


class Train(Section):
    """How a model is fitted to the training window."""

    algorithm: Literal["xgboost", "random_forest"]
    base: Literal["auto", "structural", "seasonal", "level"] = Field(description="what boosting corrects")
    max_depth: Positive = Field(description="depth of a tree, levels")
    n_estimators: Positive = Field(description="number of trees")
    learning_rate: float = Field(gt=0, le=1)
    seed: int
