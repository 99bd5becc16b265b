"""What a request for orders says: parsed once, checked column by column."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import orjson
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter

from api.errors import invalid
from api.limits import Budget, fits_budget
from api.planning_schemas import OrderQuery
from api.serving.batch_body import ANY, FIND, MOST_KEYS, check_fields, raise_for, whole_numbers
from api.serving.lookup_table import Id
from demand.planning.orders import KEYS, OrderTerms, wrong_terms

NUMBER: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(strict=True)])
IDS = ("store", "item")
WHEN_LEFT_OUT = {"on_hand": 0.0, "on_order": 0.0, "pack_size": np.nan, "minimum_order": 0.0}


class AskedOrders(NamedTuple):
    """N series, None for all; each of KEYS as one number or N of them, NaN where left out."""

    store: list[Id] | None
    item: list[Id] | None
    values: dict[str, np.ndarray]

    def terms(self, series: int, horizon: int) -> OrderTerms:
        """The terms of each series. Raises 422 that names the first wrong row of each key."""
        columns = {key: np.broadcast_to(value, series).astype("f8") for key, value in self.values.items()}
        for key, value in WHEN_LEFT_OUT.items():
            columns[key] = np.where(np.isnan(columns[key]), value, columns[key])
        terms = OrderTerms(**columns)
        problems = [{"type": "value_error", "loc": ("body", key, *([row] if self.values[key].ndim else [])),
                     "msg": f"{key} {message}"} for key, row, message in wrong_terms(terms, horizon)]
        if problems:
            raise RequestValidationError(problems)
        return terms


def parse(body: bytes, most: int) -> AskedOrders:
    """The series and terms of a body. Raises 413 for more than `most` rows, and 422 with the first errors."""
    commas = len(OrderQuery.model_fields) * most + MOST_KEYS
    if not fits_budget(body, Budget(commas, MOST_KEYS, MOST_KEYS, MOST_KEYS)):
        if body.count(b",") > commas:
            raise HTTPException(413, f"the body holds more than {most:,} series need")
        raise invalid(("body",), f"more than {MOST_KEYS} names, lists or objects", "too_long")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(("body", error.pos), f"Invalid JSON: {error.msg}", "json_invalid") from None
    check_fields(OrderQuery, content)
    store, item = (content.get(name) for name in IDS)
    check_lengths(content, store, item, most)
    if store is not None:
        store, item = whole_numbers(store), whole_numbers(item)
        raise_for((ANY[name].validate_python, column[row], (name, row))
                  for name, column in zip(IDS, (store, item), strict=True) for row in FIND[name](column))
    return AskedOrders(store, item, {key: numbers(key, content.get(key)) for key in KEYS})


def check_lengths(content: dict[str, Any], store: list[Any] | None, item: list[Any] | None, most: int) -> None:
    """Lists have one value per series, which store and item name."""
    lengths = {name: len(value) for name, value in content.items() if isinstance(value, list)}
    if (store is None) != (item is None):
        raise invalid(("body",), "store and item come together, or neither for all series")
    if store is None and lengths:
        raise invalid(("body", next(iter(lengths))), "a list needs store and item, which name the series of its values")
    if len(set(lengths.values())) > 1:
        raise invalid(("body",), "the columns differ in length: " + ", ".join(f"{name} {n}" for name, n in lengths.items()))
    if store is not None and len(store) > most:
        raise HTTPException(413, f"{len(store):,} rows are more than the {most:,} of one request")


def numbers(key: str, value: Any) -> np.ndarray:
    """One number or a list of them as float64; None as NaN where the key may be left out."""
    if isinstance(value, list):
        allowed = {int, float} | ({type(None)} if key in WHEN_LEFT_OUT else set())
        if set(map(type, value)) - allowed:
            raise_for((NUMBER.validate_python, each, (key, row)) for row, each in enumerate(value)
                      if type(each) not in allowed)
    return np.array(value, "f8")
