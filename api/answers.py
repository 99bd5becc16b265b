"""From a checked request to the bytes of its answer, all from one `Served`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError

from api.model_store import Served
from api.schemas import Batch, Columns, Query, WhatIfQuery
from api.table import COLUMNS, Id, OutsideHorizonError, UnknownSeriesError

SHOWN = 5  # wrong rows named in an error


def dumps(content: Any) -> bytes:
    """JSON; numpy arrays as lists, NaN as null."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


class Json(Response):
    """An answer that orjson writes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content)


def invalid(location: tuple[str | int, ...], message: str, kind: str = "value_error") -> RequestValidationError:
    """A 422 in FastAPI's form."""
    return RequestValidationError([{"type": kind, "loc": location, "msg": message}])


def common(served: Served) -> dict[str, Any]:
    return {"model_version": served.version, "forecast_origin": served.facts["forecast_origin"]}


def one(served: Served, query: Query) -> bytes:
    """The answer to a query without other circumstances: the hot path."""
    point, lo_80, hi_80, lo_95, hi_95 = found(served, query)
    return dumps({
        "store": query.store, "item": query.item, "date": query.date, "predicted_sales": point, "lo_80": lo_80, "hi_80": hi_80,
        "lo_95": lo_95, "hi_95": hi_95, "model_version": served.version, "forecast_origin": served.facts["forecast_origin"],
        "what_if": False})


def found(served: Served, query: Query) -> np.ndarray:
    try:
        return served.table.lookup(query.store, query.item, query.date)
    except UnknownSeriesError as error:
        raise HTTPException(404, str(error)) from None
    except OutsideHorizonError as error:
        raise invalid(("body", "date"), str(error), "date_outside_horizon") from None


def one_what_if(served: Served, query: Query) -> dict[str, Any]:
    """The answer under other circumstances, computed by the model: heavy."""
    found(served, query)
    row, day = served.table.row(query.store, query.item), served.table.day(query.date)
    known = {name: {day: value} for name, value in (query.known_future or {}).items()}
    check_known(served, known)
    values = served.whatif.forecast(row, query.recent_sales or [], known)[day]
    return {"store": query.store, "item": query.item, "date": query.date, **dict(zip(COLUMNS, values, strict=True)),
            **common(served), "what_if": True}


def check_known(served: Served, known: Mapping[str, Any]) -> None:
    """Only the columns that the model knows can be other than planned."""
    names = served.whatif.known_names
    for name in known:
        if name not in names:
            has = f"it has {', '.join(names)}" if names else "it has none"
            raise invalid(("body", "known_future", name), f"the model has no such known-future column: {has}")


def series(served: Served, store: Id, item: Id, query: WhatIfQuery) -> dict[str, Any]:
    """All days of one series, as planned or under other circumstances."""
    table, whatif = served.table, served.whatif
    try:
        row = table.row(store, item)
    except UnknownSeriesError as error:
        raise HTTPException(404, str(error)) from None
    most = len(table.days)
    horizon = most if query.horizon is None else query.horizon
    if horizon > most:
        raise invalid(("query", "horizon"), f"{horizon} days are more than the {most} that are forecast", "date_outside_horizon")
    other = bool(query.recent_sales or query.known_future)
    known: dict[str, dict[int, float]] = {}
    check_known(served, query.known_future or {})
    for name, days in (query.known_future or {}).items():
        try:
            known[name] = {table.day(day): value for day, value in days.items()}
        except OutsideHorizonError as error:
            raise invalid(("body", "known_future", name), str(error), "date_outside_horizon") from None
    values = whatif.forecast(row, query.recent_sales or [], known) if other else table.values[row]
    start = whatif.origin + 1
    planned = {name: whatif.known[row, start:start + horizon, k].tolist() for k, name in enumerate(whatif.known_names)}
    for name, changes in known.items():
        planned[name] = [changes.get(day, value) for day, value in enumerate(planned[name])]
    answer = {"store": table.store[row], "item": table.item[row], "date": list(table.days)[:horizon],
              **columns(values[:horizon]), **common(served), "what_if": other, "known_future": planned}
    if query.history:
        past = slice(max(start - query.history, 0), start)
        sales = np.ascontiguousarray(whatif.sales[row, past])
        answer["history"] = {"date": whatif.dates[past].astype(str).tolist(), "sales": sales}
    return answer


def columns(values: np.ndarray) -> dict[str, np.ndarray]:
    """(N, 5) as one contiguous array per name."""
    return dict(zip(COLUMNS, np.ascontiguousarray(values.T), strict=True))


def batch(served: Served, body: bytes, most: int) -> tuple[bytes, int]:
    """The answer to a batch and its number of rows, from the raw body: 45,000 rows are too many to parse twice."""
    try:
        asked = Batch.validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(of_one_form(error, body)) from None
    if isinstance(asked, Columns):
        store, item, day = asked.store, asked.item, asked.date
        if not len(store) == len(item) == len(day):
            raise invalid(("body",), f"the columns differ in length: store {len(store)}, item {len(item)}, date {len(day)}")
    else:
        rows = asked if isinstance(asked, list) else asked.rows
        store, item, day = [row.store for row in rows], [row.item for row in rows], [row.date for row in rows]
    if len(day) > most:
        raise HTTPException(413, f"{len(day):,} rows are more than the {most:,} of one batch")
    try:
        values = served.table.batch(store, item, day)
    except UnknownSeriesError as error:
        wrong = error.rows or []
        more = f" and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise HTTPException(404, f"{error} (rows {', '.join(map(str, wrong[:SHOWN]))}{more}, counted from 0)") from None
    except OutsideHorizonError as error:
        raise invalid(("body", "date", error.row or 0), str(error), "date_outside_horizon") from None
    if isinstance(asked, Columns):
        return dumps(columns(values) | common(served)), len(day)
    names = ("store", "item", "date", *COLUMNS)
    answers = [dict(zip(names, row, strict=True)) for row in zip(store, item, day, *values.T, strict=True)]
    return dumps({"rows": answers, **common(served)}), len(day)


def of_one_form(error: ValidationError, body: bytes) -> list[dict[str, Any]]:
    """The errors of the form, by columns or by rows, that was meant; at most 20 of them."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    meant = "list[Row]" if body.lstrip()[:1] == b"[" else "Rows" if b'"rows"' in body[:200] else "Columns"
    own = [each for each in errors if each["loc"][:1] == (meant,)]
    skipped = 1 if own else 0
    return [{"type": each["type"], "loc": ("body", *each["loc"][skipped:]), "msg": each["msg"]} for each in (own or errors)[:20]]


def catalogue(served: Served) -> bytes:
    """{"stores": [{"store": …, "items": […]}, …]}, and what can be other than planned."""
    stores: list[dict[str, Any]] = []
    for store, item in zip(served.table.store, served.table.item, strict=True):
        if not stores or stores[-1]["store"] != store:
            stores.append({"store": store, "items": []})
        stores[-1]["items"].append(item)
    return orjson.dumps({"stores": stores, "known_future": list(served.whatif.known_names)})
