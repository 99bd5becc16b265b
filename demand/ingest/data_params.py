"""The section `data` of params.yaml."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from demand.schema.sections import Section


class Columns(Section):
    """The names of the source's columns. `unique_id, ds, y` (Nixtla) is known without a mapping."""

    date: str = Field(description="column of the day")
    store: str | tuple[str, ...] | None = Field(description="column of the store; several are joined; null: one store, `all`")
    item: str | tuple[str, ...] | None = Field(description="column of the item, likewise")
    sales: str | None = Field(description="column of the units sold; null: each row is one unit")

    @model_validator(mode="after")
    def names_differ(self) -> Self:
        ids = [name for each in (self.store, self.item) for name in ((each,) if isinstance(each, str) else each or ())]
        names = [self.date, *ids, *([self.sales] if self.sales is not None else [])]
        if () in (self.store, self.item):
            raise ValueError("an empty list of columns: write null where there is none")
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]!r} is named twice")
        return self


class DataParams(Section):
    """What the pipeline sees."""

    section: ClassVar[str] = "data"

    source: str = Field(description="CSV or Parquet file of sales, a folder of them, or either on S3 (s3://bucket/key)")
    files: str | None = Field(description="which files of a folder, such as sales_*.csv; null: all CSV and Parquet files")
    columns: Columns
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    calendar: dict[str, str] | None = Field(
        description="public holidays: country, or country-subdivision, by store; `default` for all others; null: none")
    events: str = Field(description="CSV of own events: name, first_day, last_day; where needed store, days_before, days_after")
    items: str = Field(description="CSV of the items' attributes: item, and a column for each, such as brand")
    stores: str = Field(description="CSV of the stores' attributes: store, and a column for each, such as region")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str = Field(description="CSV with id, date, store, item: the days of data/forecast/submission.csv")
    missing_days: Literal["auto", "zero", "unknown"] = Field(description="a series' day without a row while its store sells")
    transactions: bool = Field(description="several rows per series and day are added up, returns taken off")
    date_format: str | None = Field(description="of dates as text, such as %d.%m.%Y; null: the one that all dates agree on")
    separator: str | None = Field(pattern=r"^[\t !#-~]$", description="between the columns of a CSV; null: detected")
    decimal: Literal[".", ","] | None = Field(description="mark of a CSV's numbers; null: detected")
    encoding: str | None = Field(description="of a CSV; null: UTF-8, or what its bytes look like")

    @field_validator("source")
    @classmethod
    def is_no_pattern(cls, value: str) -> str:
        if "*" in value:
            raise ValueError("DVC watches files and folders, no patterns: name the folder, and the pattern in data.files")
        return value

    @field_validator("calendar", mode="before")
    @classmethod
    def norway_is_no_boolean(cls, value: Any) -> Any:
        """Keys and places as text: YAML reads a bare NO as false, and a store's number as one."""
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ValueError("write the place of each store, or of all others, such as {default: DE-BY, store 7: AT}")
        return {str(key): "NO" if place is False else place for key, place in value.items()}

    @field_validator("date_format")
    @classmethod
    def reads_whole_days(cls, value: str | None) -> str | None:
        day = datetime(2026, 11, 24)
        try:
            if value is None or datetime.strptime(day.strftime(value), value).date() == day.date():
                return value
        except ValueError:
            pass
        raise ValueError("no format of whole days, such as %d.%m.%Y")

    @property
    def adds_up(self) -> bool:
        """Whether several rows of a series and day are added up."""
        return self.transactions or self.columns.sales is None
