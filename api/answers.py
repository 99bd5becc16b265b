"""From a checked request to the bytes of its answer, all from one `Served`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from api.schemas import Query, WhatIfQuery
from api.serving import batch_body
from api.serving.forecast_table import COLUMNS, Id, OutsideHorizonError, UnknownSeriesError
from api.serving.model_store import Served

SHOWN = 5  # wrong rows named in an error
PART = 5_000  # rows that are written at a time, so that the event loop gets its turn in between


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
        answer["history"] = {"date": whatif.dates[past].astype(str).tolist(), "sales": whatif.recorded(row, past)}
    return answer


def columns(values: np.ndarray) -> dict[str, np.ndarray]:
    """(N, 5) as one contiguous array per name."""
    return dict(zip(COLUMNS, np.ascontiguousarray(values.T), strict=True))


def batch(served: Served, body: bytes, most: int) -> tuple[bytes, int]:
    """The answer to a batch and its number of rows, from the raw body."""
    store, item, day, rows = batch_body.parse(body, most)
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
    parts = b",".join(dumps(rows[at:at + PART])[1:-1] for at in range(0, len(rows), PART))
    return b'{"rows":[' + parts + b"]," + dumps(common(served))[1:], len(day)


def catalogue(served: Served) -> bytes:
    """{"stores": [{"store": …, "items": […]}, …]}, and what can be other than planned."""
    stores: list[dict[str, Any]] = []
    for store, item in zip(served.table.store, served.table.item, strict=True):
        if not stores or stores[-1]["store"] != store:
            stores.append({"store": store, "items": []})
        stores[-1]["items"].append(item)
    return orjson.dumps({"stores": stores, "known_future": list(served.whatif.known_names)})
