"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from demand.schema.sections import Section


class DataParams(Section):
    """What the pipeline sees."""

    source: str = Field(description="CSV or Parquet file with the columns date, store, item, sales")
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str = Field(description="CSV with id, date, store, item: the days of data/forecast/submission.csv")
