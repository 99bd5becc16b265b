"""From a checked request to the bytes of its answer, all from one `Served`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from fastapi import HTTPException

from api.errors import invalid
from api.schemas import Query, WhatIfQuery
from api.serving import batch_body
from api.serving.lookup_table import COLUMNS, Id, OutsideHorizonError, UnknownSeriesError
from api.serving.served import Served
from demand.schema.listing import list_some

NAMED = 5  # wrong rows named in an error
PART = 5_000  # rows that are written at a time, so that the event loop gets its turn in between
OUTSIDE = "date_outside_horizon"  # the type of that error


def to_json(content: Any) -> bytes:
    """JSON; numpy arrays as lists, NaN as null."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def origin_of(served: Served) -> dict[str, Any]:
    """Which model the numbers are from, and the last day that it knows."""
    return {"model_version": served.version, "forecast_origin": served.origin}


def prediction(served: Served, query: Query) -> bytes:
    """One day of one series, as planned: the hot path."""
    values = look_up(served, query).tolist()
    return orjson.dumps({"store": query.store, "item": query.item, "date": query.date, **dict(zip(COLUMNS, values, strict=True)),
                         **origin_of(served), "what_if": False})


def what_if_prediction(served: Served, query: Query) -> bytes:
    """One day of one series under other circumstances, computed by the model: heavy."""
    look_up(served, query)
    row, day = served.table.row(query.store, query.item), served.table.day(query.date)
    known = {name: {day: value} for name, value in (query.known_future or {}).items()}
    check_known_names(served, known)
    values = served.whatif.forecast(row, query.recent_sales or [], known)[day].tolist()
    return to_json({"store": query.store, "item": query.item, "date": query.date, **dict(zip(COLUMNS, values, strict=True)),
                    **origin_of(served), "what_if": True})


def look_up(served: Served, query: Query) -> np.ndarray:
    """(5,) COLUMNS of the query's series and day."""
    try:
        return served.table.lookup(query.store, query.item, query.date)
    except UnknownSeriesError as error:
        raise HTTPException(404, str(error)) from None
    except OutsideHorizonError as error:
        raise invalid(("body", "date"), str(error), OUTSIDE) from None


def series(served: Served, store: Id, item: Id, query: WhatIfQuery) -> tuple[bytes, int]:
    """All days of one series, as planned or under other circumstances, and their number."""
    try:
        row = served.table.row(store, item)
    except UnknownSeriesError as error:
        raise HTTPException(404, str(error)) from None
    horizon = check_horizon(served, query.horizon)
    known = known_by_day(served, query.known_future or {})
    what_if = bool(query.recent_sales or query.known_future)
    values = served.whatif.forecast(row, query.recent_sales or [], known) if what_if else served.table.values[row]
    answer = {"store": served.table.store[row], "item": served.table.item[row], "date": list(served.table.days)[:horizon],
              **columns(values[:horizon]), **origin_of(served), "what_if": what_if,
              "known_future": known_values(served, row, horizon, known)}
    if query.history:
        answer["history"] = history(served, row, query.history)
    return to_json(answer), horizon


def check_horizon(served: Served, horizon: int | None) -> int:
    """The days to answer; all that are forecast where none are asked for."""
    most = len(served.table.days)
    if horizon is not None and horizon > most:
        raise invalid(("query", "horizon"), f"{horizon} days are more than the {most} that are forecast", OUTSIDE)
    return most if horizon is None else horizon


def known_by_day(served: Served, known: Mapping[str, Mapping[str, float]]) -> dict[str, dict[int, float]]:
    """Values by column and position of the day."""
    check_known_names(served, known)
    by_day: dict[str, dict[int, float]] = {}
    for name, days in known.items():
        try:
            by_day[name] = {served.table.day(day): value for day, value in days.items()}
        except OutsideHorizonError as error:
            raise invalid(("body", "known_future", name), str(error), OUTSIDE) from None
    return by_day


def check_known_names(served: Served, known: Mapping[str, Any]) -> None:
    """Only the future covariates of the model can be other than planned."""
    names = served.whatif.known_names
    for name in known:
        if name not in names:
            has = f"it has {', '.join(names)}" if names else "it has none"
            raise invalid(("body", "known_future", name), f"the model has no such known-future column: {has}")


def known_values(served: Served, row: int, horizon: int, changes: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    """The future covariates of one series by column, day by day, as planned but for the changes."""
    whatif = served.whatif
    ahead = slice(whatif.origin + 1, whatif.origin + 1 + horizon)
    planned = {name: whatif.known[row, ahead, k].tolist() for k, name in enumerate(whatif.known_names)}
    return {name: [changes.get(name, {}).get(day, value) for day, value in enumerate(values)] for name, values in planned.items()}


def history(served: Served, row: int, days: int) -> dict[str, Any]:
    """The last recorded sales of one series up to the origin; null where nothing is known of a day."""
    whatif = served.whatif
    past = slice(max(whatif.origin + 1 - days, 0), whatif.origin + 1)
    return {"date": whatif.dates[past].astype(str).tolist(), "sales": whatif.recorded(row, past)}


def columns(values: np.ndarray) -> dict[str, np.ndarray]:
    """(N, 5) as one contiguous array per name."""
    return dict(zip(COLUMNS, np.ascontiguousarray(values.T), strict=True))


def batch(served: Served, body: bytes, most: int) -> tuple[bytes, int]:
    """The answer to a batch and its number of rows, from the raw body."""
    asked = batch_body.parse(body, most)
    values = look_up_batch(served, asked)
    content = batch_by_columns(served, values) if asked.rows is None else batch_by_rows(served, asked.rows, values)
    return content, len(values)


def look_up_batch(served: Served, asked: batch_body.Batch) -> np.ndarray:
    """(N, 5) COLUMNS of N rows."""
    try:
        return served.table.batch(asked.store, asked.item, asked.date)
    except UnknownSeriesError as error:
        raise unknown_rows(error) from None
    except OutsideHorizonError as error:
        raise invalid(("body", "date", error.row or 0), str(error), OUTSIDE) from None


def unknown_rows(error: UnknownSeriesError) -> HTTPException:
    """A 404 that names the rows."""
    rows = list_some(list(map(str, error.rows or [])), NAMED)
    return HTTPException(404, f"{error} (rows {rows}, counted from 0)")


def batch_by_columns(served: Served, values: np.ndarray) -> bytes:
    return to_json(columns(values) | origin_of(served))


def batch_by_rows(served: Served, rows: list[dict[str, Any]], values: np.ndarray) -> bytes:
    """The rows as they were sent, each with its forecast."""
    for name, column in columns(values).items():
        for row, value in zip(rows, column.tolist(), strict=True):
            row[name] = value
    parts = b",".join(to_json(rows[at:at + PART])[1:-1] for at in range(0, len(rows), PART))
    return b'{"rows":[' + parts + b"]," + to_json(origin_of(served))[1:]


def catalogue(served: Served) -> bytes:
    """The stores with their items, and the future covariates, whose values can be other than planned."""
    items_by_store: dict[Id, list[Id]] = {}
    for store, item in zip(served.table.store, served.table.item, strict=True):
        items_by_store.setdefault(store, []).append(item)
    return orjson.dumps({"stores": [{"store": store, "items": items} for store, items in items_by_store.items()],
                         "known_future": list(served.whatif.known_names)})
