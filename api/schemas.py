"""What requests and answers look like. Answers are written by orjson straight from arrays; their models here are for the docs."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

SHOWN = 20  # errors in an answer
LONGEST_ID = 200  # characters
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Id = Annotated[int, Field(strict=True)] | Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_ID)]
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

    horizon: int | None = Field(None, ge=1, strict=True, description="days; all that are forecast when left out")
    history: int = Field(0, ge=0, le=3660, strict=True, description="days of recorded sales to send along")
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
Asked = TypeVar("Asked", bound=BaseModel)


def parse(model: type[Asked], body: bytes) -> Asked:
    """A body as its model. Raises 422 with the first errors."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(located(error)) from None


def located(error: ValidationError, place: tuple[str | int, ...] = ()) -> list[dict[str, Any]]:
    """The first errors of a body in FastAPI's form; `place` is that of the value in the body."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)[:SHOWN]
    return [{"type": each["type"], "loc": ("body", *place, *each["loc"]), "msg": each["msg"]} for each in errors]


BODIES, DEFINITIONS = TypeAdapter.json_schemas(  # of the routes that parse their body themselves, and what those refer to
    [(Query, "validation", TypeAdapter(Query)), (WhatIfQuery, "validation", TypeAdapter(WhatIfQuery)),
     (Columns, "validation", TypeAdapter(Columns | Rows | list[Row]))], ref_template="#/components/schemas/{model}")


def documented(model: type[BaseModel], examples: dict[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra` of a route that parses its body itself."""
    content = {"schema": BODIES[model, "validation"], **({"examples": examples} if examples else {})}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


BATCHES = {"columns": {"value": {"store": [1, 1], "item": [1, 2], "date": ["2025-01-15", "2025-01-15"]}},
           "rows": {"value": {"rows": [{"store": 1, "item": 1, "date": "2025-01-15"}]}}}


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


class Many(BaseModel):
    """One value per row or day, in the order of the request."""

    predicted_sales: list[float]
    lo_80: list[float]
    hi_80: list[float]
    lo_95: list[float]
    hi_95: list[float]
    model_version: str
    forecast_origin: str


class ManyRows(BaseModel):
    """The answer to a batch by rows."""

    rows: list[dict[str, Any]]
    model_version: str
    forecast_origin: str


class Past(BaseModel):
    date: list[str]
    sales: list[float | None]


class Series(Many):
    """The forecast of one series."""

    store: int | str
    item: int | str
    date: list[str]
    what_if: bool
    known_future: dict[str, list[float | None]]
    history: Past | None = None


class Problem(BaseModel):
    detail: Any


PROBLEMS = {
    400: "The body cannot be parsed",
    401: "Wrong or missing X-API-Key",
    403: "The server has no API_KEY",
    404: "Unknown store or item",
    409: "The newer model cannot be had; the old one goes on serving",
    408: "A large body did not arrive in time",
    413: "Too many rows, or too large a request",
    422: "Malformed, or a day outside the forecast",
    503: "No model is loaded yet, or too many large requests at once",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer other than 200, for the docs."""
    return {status: {"model": Problem, "description": PROBLEMS[status]} for status in statuses}
