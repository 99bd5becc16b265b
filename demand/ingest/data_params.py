"""The section `data` of params.yaml."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from demand.schema.sections import Section


class DataParams(Section):
    """What the pipeline sees."""

    section: ClassVar[str] = "data"

    source: str = Field(description="CSV or Parquet file with the columns date, store, item, sales")
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str = Field(description="CSV with id, date, store, item: the days of data/forecast/submission.csv")
