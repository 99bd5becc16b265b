"""Why the forecast of a day, or of any sum of days and series, is what it is."""

from __future__ import annotations

import numpy as np
from fastapi import HTTPException

from api.serving.answers import origin_of, to_json
from api.serving.groups import days_between, rows_of_group
from api.serving.served import Served

MOST_SERIES, MOST_ROWS = 1_000, 50_000  # of one answer; rows are series × days: less than a second of one core
DIGITS = 9  # significant ones: rounded factors still multiply to the forecast to about 1e-8 of it


def explanation(served: Served, store: str | None, item: str | None, start: str | None, end: str | None) -> bytes:
    """The factors of the sum over a series, a store, an item or everything, and over the days from `start` to `end`.

    Raises 404 where there is no such series, 422 for days that are not forecast, 413 for more than can be explained at once.
    """
    group = rows_of_group(served.sums, [store] if store else [], [item] if item else [])
    rows = np.arange(len(served.sums.points))[group]
    first, last = days_between(served.table, start, end)
    check_size(len(rows), last - first + 1)
    made, days = served.whatif.explain(rows, first + 1, last + 1), list(served.table.days)
    return to_json({
        "store": None if store is None else served.table.store[rows[0]],
        "item": None if item is None else served.table.item[rows[0]],
        "start": days[first], "end": days[last], "series": len(rows), "days": last - first + 1,
        "forecast": significant(float(made.forecast.sum())),
        "factors": {name: significant(factor) for name, factor in made.of_sum().items()}, **origin_of(served)})


def check_size(series: int, days: int) -> None:
    """Raise 413 for more than MOST_SERIES series or MOST_ROWS series × days."""
    if series > MOST_SERIES or series * days > MOST_ROWS:
        raise HTTPException(413, f"{series:,} series × {days} days are more than the {MOST_SERIES:,} series and {MOST_ROWS:,} "
                            "series × days that can be explained at once: ask for a store, an item or fewer days")


def significant(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
