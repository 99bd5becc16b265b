"""Which series and which days a request for a sum is about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fastapi import HTTPException

from api.errors import invalid
from api.serving.answers import OUTSIDE
from api.serving.lookup_table import Id, LookupTable, OutsideHorizonError
from api.serving.sum_table import SumTable, UnknownGroupError


def rows_of_group(sums: SumTable, stores: Sequence[Id], items: Sequence[Id]) -> np.ndarray | slice:
    """The positions of all series of these stores and items; none named means all. Raises 404 where there is none."""
    try:
        return sums.group(stores, items)
    except UnknownGroupError as error:
        raise HTTPException(404, str(error)) from None


def days_between(table: LookupTable, start: str | None, end: str | None) -> tuple[int, int]:
    """Positions of the first and the last day; the first and the last that are forecast where none is given."""
    positions = []
    for name, day, otherwise in (("start", start, 0), ("end", end, len(table.days) - 1)):
        try:
            positions.append(otherwise if day is None else table.day(day))
        except OutsideHorizonError as error:
            raise invalid(("query", name), str(error), OUTSIDE) from None
    if positions[1] < positions[0]:
        raise invalid(("query", "end"), f"{end} is before {start}")
    return positions[0], positions[1]
