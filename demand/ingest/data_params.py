"""The section `data` of params.yaml."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from demand.schema.sections import Section


class Columns(Section):
    """The names of the source's columns. `unique_id, ds, y` (Nixtla) is known without a mapping."""

    date: str = Field(description="column of the day")
    store: str | tuple[str, ...] | None = Field(description="column of the store; several are joined; null: one store, `all`")
    item: str | tuple[str, ...] | None = Field(description="column of the item, likewise")
    sales: str | None = Field(description="column of the units sold; null: each row is one unit")


class DataParams(Section):
    """What the pipeline sees."""

    section: ClassVar[str] = "data"

    source: str = Field(description="CSV or Parquet file, one row per store, item and day")
    columns: Columns
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str = Field(description="CSV with id, date, store, item: the days of data/forecast/submission.csv")
    missing_days: Literal["auto", "zero", "unknown"] = Field(description="a series' day without a row while its store sells")
    transactions: bool = Field(description="several rows per series and day are added up, returns taken off")
    date_format: str | None = Field(description="of dates as text, such as %d.%m.%Y; null: the one that all dates agree on")
    separator: str | None = Field(description="between the columns of a CSV; null: detected")
    decimal: Literal[".", ","] | None = Field(description="mark of a CSV's numbers; null: detected")
    encoding: str | None = Field(description="of a CSV; null: UTF-8, or what its bytes look like")
