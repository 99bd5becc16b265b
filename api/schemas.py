"""What requests and answers look like. Answers are written by orjson straight from arrays; their models here are for the docs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter

LONGEST_ID = 200  # characters
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def whole(value: Any) -> Any:
    """1.0 as 1: JSON knows no difference."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, Field(strict=True), BeforeValidator(whole)] | Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_ID)]
Store = Annotated[Id, Field(description="store as in the data", examples=[1])]
Item = Annotated[Id, Field(description="item as in the data", examples=[1])]
Day = Annotated[str, StringConstraints(strict=True, pattern=DAY),
                Field(description="day to forecast, YYYY-MM-DD", json_schema_extra={"format": "date"})]
Units = Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]  # strict: no text, no true and false
Value = Annotated[float, Field(strict=True, ge=-1e9, le=1e9, allow_inf_nan=False)]
Recent = Annotated[list[Units | None], Field(
    max_length=3660, description="what if: your own last sales, units per day, oldest first, the last one on the day of the "
    "forecast origin; null keeps the recorded sales")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Query(Body):
    """One store, item and day."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"store": 1, "item": 1, "date": "2025-01-15"}]})

    store: Store
    item: Item
    date: Day
    recent_sales: Recent | None = None
    known_future: dict[str, Value] | None = Field(
        None, max_length=100, description='what if: values of known-future columns on that day, such as {"promo": 1}')


class WhatIfQuery(Body):
    """Other circumstances for a whole series."""

    horizon: Annotated[int, Field(strict=True, ge=1), BeforeValidator(whole)] | None = Field(
        None, description="days; all that are forecast when left out")
    history: Annotated[int, Field(strict=True, ge=0, le=3660), BeforeValidator(whole)] = Field(
        0, description="days of recorded sales to send along")
    recent_sales: Recent | None = None
    known_future: dict[str, Annotated[dict[Day, Value], Field(max_length=3660)]] | None = Field(
        None, max_length=100, description='values of known-future columns by day, such as {"promo": {"2025-01-15": 1}}')


class Row(Body):
    store: Store
    item: Item
    date: Day


class Rows(Body):
    """A batch by rows."""

    rows: list[Row]


class Columns(Body):
    """A batch by columns, all of one length: the fastest."""

    store: list[Id]
    item: list[Id]
    date: list[Day]


ANY_ID: TypeAdapter[int | str] = TypeAdapter(Id)
ANY_DAY: TypeAdapter[str] = TypeAdapter(Day)


class Prediction(BaseModel):
    """Units per day; the intervals hold the sales of 80 % and of 95 % of the days."""

    store: int | str
    item: int | str
    date: str
    predicted_sales: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float
    model_version: str
    forecast_origin: str = Field(description="the last day whose sales are known")
    what_if: bool = Field(description="whether other circumstances than the recorded ones were asked for")


class Forecasts(BaseModel):
    """One value per row or day, in the order of the request."""

    predicted_sales: list[float]
    lo_80: list[float]
    hi_80: list[float]
    lo_95: list[float]
    hi_95: list[float]
    model_version: str
    forecast_origin: str


class ForecastRows(BaseModel):
    """The answer to a batch by rows."""

    rows: list[dict[str, Any]]
    model_version: str
    forecast_origin: str


class History(BaseModel):
    date: list[str]
    sales: list[float | None]


class Series(Forecasts):
    """The forecast of one series."""

    store: int | str
    item: int | str
    date: list[str]
    what_if: bool
    known_future: dict[str, list[float | None]]
    history: History | None = None


class StoreItems(BaseModel):
    store: int | str
    items: list[int | str]


class Catalogue(BaseModel):
    """All series, and the future covariates that a what-if can change."""

    stores: list[StoreItems]
    known_future: list[str]


class Model(BaseModel):
    """The model that serves."""

    model_config = ConfigDict(protected_namespaces=())

    model_version: str
    role: str = Field(description="champion, or candidate while nothing was promoted")
    why: str = Field(description="why this model serves")
    scored: bool = Field(description="whether the history was long enough to backtest it")
    sha256: str = Field(description="of the model's file")
    trained_through: str = Field(description="the last day of its training")
    forecast_origin: str = Field(description="the last day whose sales are known")
    horizon: int = Field(description="days that are forecast")
    promoted_at: float = Field(description="seconds since 1970")
    age_seconds: float = Field(description="since then")
    metrics: dict[str, Any] = Field(description="of its backtest")
    model: dict[str, Any] = Field(description="facts of its training")
    known_future: list[str]


class LastReload(BaseModel):
    result: str
    message: str
    at: float = Field(description="seconds since 1970")


class Status(BaseModel):
    status: str


class Running(Status):
    model_config = ConfigDict(protected_namespaces=())

    model_version: str | None
    docs: str


class Ready(Status):
    model_config = ConfigDict(protected_namespaces=())

    model_version: str | None
    last_reload: LastReload | None


class Reloaded(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    result: str
    model_version: str | None
