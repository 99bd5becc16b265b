"""Why the forecast of a day, or of any sum of days and series, is what it is."""

from __future__ import annotations

import numpy as np
from fastapi import HTTPException

from api.errors import invalid
from api.serving.answers import OUTSIDE, origin_of, to_json
from api.serving.lookup_table import LookupTable, OutsideHorizonError, same_kind, shown
from api.serving.served import Served

MOST_SERIES, MOST_ROWS = 1_000, 50_000  # of one answer; rows are series × days: less than a second of one core
DIGITS = 9  # significant ones: rounded factors still multiply to the forecast to about 1e-8 of it


def explanation(served: Served, store: str | None, item: str | None, start: str | None, end: str | None) -> bytes:
    """The factors of the sum over a series, a store, an item or everything, and over the days from `start` to `end`.

    Raises 404 where there is no such series, 422 for days that are not forecast, 413 for more than can be explained at once.
    """
    rows = rows_of_group(served.table, store, item)
    first, last = days_between(served.table, start, end)
    check_size(len(rows), last - first + 1)
    made, days = served.whatif.explain(rows, first + 1, last + 1), list(served.table.days)
    return to_json({
        "store": None if store is None else served.table.store[rows[0]],
        "item": None if item is None else served.table.item[rows[0]],
        "start": days[first], "end": days[last], "series": len(rows), "days": last - first + 1,
        "forecast": significant(float(made.forecast.sum())),
        "factors": {name: significant(factor) for name, factor in made.of_sum().items()}, **origin_of(served)})


def rows_of_group(table: LookupTable, store: str | None, item: str | None) -> np.ndarray:
    """(N,) positions of the series of a store, of an item, of both, or of all."""
    wanted = [None if value is None else same_kind(value, ids) for value, ids in ((store, table.store), (item, table.item))]
    rows = [row for row, key in enumerate(zip(table.store, table.item, strict=True))
            if all(value is None or value == each for value, each in zip(wanted, key, strict=True))]
    if not rows:
        named = [f"{what} {shown(value)}" for what, value in (("store", store), ("item", item)) if value is not None]
        raise HTTPException(404, f"no series for {', '.join(named)}")
    return np.array(rows)


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


def check_size(series: int, days: int) -> None:
    """Raise 413 for more than MOST_SERIES series or MOST_ROWS series × days."""
    if series > MOST_SERIES or series * days > MOST_ROWS:
        raise HTTPException(413, f"{series:,} series × {days} days are more than the {MOST_SERIES:,} series and {MOST_ROWS:,} "
                            "series × days that can be explained at once: ask for a store, an item or fewer days")


def significant(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
