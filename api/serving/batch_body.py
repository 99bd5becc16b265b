"""The rows that a batch asks for: parsed once, checked column by column. Pydantic only words the first errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.errors import SHOWN, invalid, problems_of
from api.limits import Budget, fits_budget
from api.schemas import ANY_DAY, ANY_ID, DAY, LONGEST_ID, Columns, Row, Rows, whole
from api.serving.lookup_table import Id

NAMES = ("store", "item", "date")
DATE = re.compile(DAY, re.ASCII)
MOST_KEYS = 50  # keys of one object, beyond which nothing is looked at
Location = tuple[str | int, ...]


class Batch(NamedTuple):
    """N rows; `rows` are they as they were sent, None if they came by columns."""

    store: list[Id]
    item: list[Id]
    date: list[str]
    rows: list[dict[str, Any]] | None = None


def parse(body: bytes, most: int) -> Batch:
    """The rows of a batch in any of its forms. Raises 413 for more than `most`, and 422 with the first errors."""
    if not fits_budget(body, Budget(3 * most + 3, 3 * most + 3, most + 4, MOST_KEYS)):
        if body.count(b",") > 3 * most + 3 or body.count(b"{") > most + 1:
            raise HTTPException(413, f"the body holds more than {most:,} rows of store, item and date need")
        message = f"an object has more than {MOST_KEYS} names, or the body more brackets or colons than rows need"
        raise invalid(("body",), message, "too_long")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(("body", error.pos), f"Invalid JSON: {error.msg}", "json_invalid") from None
    if isinstance(content, list):
        return by_rows(content, (), most)
    if isinstance(content, dict) and "rows" in content:
        check_fields(Rows, content)
        return by_rows(content["rows"], ("rows",), most)
    check_fields(Columns, content)
    return by_columns(content, most)


def check_fields(model: type[BaseModel], content: Any) -> None:
    """Whether an object has the fields of a model, and lists in them; what is in the lists is not looked at."""
    content = first_fields(content, model.model_fields)
    if isinstance(content, dict):
        content = {name: [] if isinstance(value, list) else value for name, value in content.items()}
    try:
        model.model_validate(content)
    except ValidationError as error:
        raise RequestValidationError(problems_of(error)) from None


def first_fields(content: Any, names: Iterable[str] = NAMES) -> Any:
    """An object without most of the fields that it should not have; anything else as it is."""
    if not isinstance(content, dict):
        return content
    return {name: content[name] for name in names if name in content} | dict(islice(content.items(), SHOWN))


def too_many(rows: int, most: int) -> HTTPException:
    return HTTPException(413, f"{rows:,} rows are more than the {most:,} of one batch")


def by_columns(content: dict[str, list[Any]], most: int) -> Batch:
    store, item, date = (content[name] for name in NAMES)
    if not len(store) == len(item) == len(date):
        raise invalid(("body",), f"the columns differ in length: store {len(store)}, item {len(item)}, date {len(date)}")
    if len(date) > most:
        raise too_many(len(date), most)
    store, item = whole_numbers(store), whole_numbers(item)
    content = {"store": store, "item": item, "date": date}
    wrong = ((name, row) for name in NAMES for row in islice(FIND[name](content[name]), SHOWN))
    raise_for((ANY[name].validate_python, content[name][row], (name, row)) for name, row in wrong)
    return Batch(store, item, date)


def by_rows(rows: list[Any], location: Location, most: int) -> Batch:
    if len(rows) > most:
        raise too_many(len(rows), most)
    columns = columns_of(rows)
    wrong: Iterable[int]
    if columns is None:
        wrong = (k for k, row in enumerate(rows) if not is_row(row))
    else:
        wrong = sorted({row for name in NAMES for row in islice(FIND[name](columns[name]), SHOWN)})
    raise_for((Row.model_validate, first_fields(rows[k]), (*location, k)) for k in wrong)
    assert columns is not None  # else a row was wrong
    return Batch(**columns, rows=rows)


def columns_of(rows: list[Any]) -> dict[str, list[Any]] | None:
    """The rows' fields, one list each; None where a row is no object of these three."""
    try:
        if set(map(len, rows)) - {3}:
            return None
        columns = {name: [row[name] for row in rows] for name in NAMES}
    except (TypeError, KeyError):
        return None
    return columns | {name: whole_numbers(columns[name]) for name in ("store", "item")}


def whole_numbers(column: list[Any]) -> list[Any]:
    """A column with 1 for each 1.0."""
    return [whole(value) for value in column] if float in set(map(type, column)) else column


def raise_for(wrong: Iterator[tuple[Any, Any, Location]]) -> None:
    """Raise the first errors, in pydantic's words, if there are any."""
    problems: list[dict[str, Any]] = []
    for validate, value, location in wrong:
        try:
            validate(value)
        except ValidationError as error:
            problems += problems_of(error, location)
        if len(problems) >= SHOWN:
            break
    if problems:
        raise RequestValidationError(problems[:SHOWN])


def wrong_ids(column: Sequence[Any]) -> Iterator[int]:
    """Positions of what is no id."""
    kinds = list(map(type, column))
    if kinds.count(int) == len(column):
        return iter(())
    if set(kinds) <= {int, str}:
        lengths = set(map(len, (value for value in column if type(value) is str)))
        if min(lengths) > 0 and max(lengths) <= LONGEST_ID:
            return iter(())
    return (k for k, value in enumerate(column) if not is_id(value))


def wrong_days(column: Sequence[Any]) -> Iterator[int]:
    """Positions of what is not written as YYYY-MM-DD."""
    try:
        wrong = {day for day in set(column) if not is_day(day)}  # equal to a text is a text alone
    except TypeError:
        return (k for k, day in enumerate(column) if not is_day(day))
    return (k for k, day in enumerate(column) if day in wrong) if wrong else iter(())


def is_id(value: Any) -> bool:
    value = whole(value)
    return type(value) is int or (type(value) is str and 0 < len(value) <= LONGEST_ID)


def is_day(value: Any) -> bool:
    return type(value) is str and DATE.fullmatch(value) is not None


def is_row(row: Any) -> bool:
    return (type(row) is dict and len(row) == 3 and all(name in row for name in NAMES)
            and is_id(row["store"]) and is_id(row["item"]) and is_day(row["date"]))


FIND: dict[str, Callable[[Sequence[Any]], Iterator[int]]] = {"store": wrong_ids, "item": wrong_ids, "date": wrong_days}
ANY: dict[str, TypeAdapter[Any]] = {"store": ANY_ID, "item": ANY_ID, "date": ANY_DAY}
