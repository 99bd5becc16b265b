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
from api.schemas import Columns, Query, RowList, Rows, WhatIfQuery
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
    point, lo_80, hi_80, lo_95, hi_95 = found(served, query).tolist()
    return orjson.dumps({
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
    values = served.whatif.forecast(row, query.recent_sales or [], known)[day].tolist()
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
    form = "list" if body.lstrip()[:1] == b"[" else "rows" if b'"rows"' in body[:200] else "columns"
    rows: list[dict[str, Any]] | None = None
    try:
        if form == "columns":
            asked = Columns.model_validate_json(body)
        else:
            rows, asked = transposed(body) or by_rows(form, body)
    except ValidationError as error:
        raise RequestValidationError(problems(error)) from None
    store, item, day = asked.store, asked.item, asked.date
    if not len(store) == len(item) == len(day):
        raise invalid(("body",), f"the columns differ in length: store {len(store)}, item {len(item)}, date {len(day)}")
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
    if rows is None:
        return dumps(columns(values) | common(served)), len(day)
    for name, column in columns(values).items():
        for row, value in zip(rows, column.tolist(), strict=True):
            row[name] = value
    return dumps({"rows": rows, **common(served)}), len(day)


def transposed(body: bytes) -> tuple[list[dict[str, Any]], Columns] | None:
    """Rows and their columns, validated as such: in a tenth of the time of a model per row. None if anything is wrong."""
    try:
        content = orjson.loads(body)
        rows = content["rows"] if isinstance(content, dict) and len(content) == 1 else content
        if not isinstance(rows, list) or set(map(len, rows)) - {3}:
            return None
        store, item, day = ([row[name] for row in rows] for name in ("store", "item", "date"))
        return rows, Columns(store=store, item=item, date=day)
    except (ValueError, TypeError, LookupError):
        return None


def by_rows(form: str, body: bytes) -> tuple[list[dict[str, Any]], Columns]:
    """The same row by row, which can tell what is wrong where."""
    rows = RowList.validate_json(body) if form == "list" else Rows.model_validate_json(body).rows
    asked = Columns(store=[row.store for row in rows], item=[row.item for row in rows], date=[row.date for row in rows])
    return [row.model_dump() for row in rows], asked


def problems(error: ValidationError) -> list[dict[str, Any]]:
    """The errors of a body in FastAPI's form; at most 20 of them."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)[:20]
    return [{"type": each["type"], "loc": ("body", *each["loc"]), "msg": each["msg"]} for each in errors]


def catalogue(served: Served) -> bytes:
    """{"stores": [{"store": …, "items": […]}, …]}, and what can be other than planned."""
    stores: list[dict[str, Any]] = []
    for store, item in zip(served.table.store, served.table.item, strict=True):
        if not stores or stores[-1]["store"] != store:
            stores.append({"store": store, "items": []})
        stores[-1]["items"].append(item)
    return orjson.dumps({"stores": stores, "known_future": list(served.whatif.known_names)})
