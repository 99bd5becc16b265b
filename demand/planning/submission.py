"""The forecast as an answer to a test file in the competition's form: id, date, store, item in, id, sales out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np

from demand.panel.forecast import Forecast
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from demand.schema.listing import SHOWN, list_some

ASKED = ("id", "date", "store", "item")
GIVEN = ("id", "sales")
DECIMALS = 3


def submission_rows(asked: Mapping[str, Sequence[str]], file: str, panel: Panel, forecast: Forecast) -> list[tuple[str, float]]:
    """GIVEN (units per day) for each row of a test file, in its order.

    Args:
        asked: the columns ASKED as text, one row per line below the header.
        file: its name, for messages.
        panel: the series that were forecast, in the forecast's order.

    Raises:
        UserError: naming rows whose id repeats, whose series is not known or whose day is not forecast.
    """
    identifier, date, store, item = ([value.strip() for value in asked[name]] for name in ASKED)
    row_of = {key: row for row, key in enumerate(zip(map(str, panel.store), map(str, panel.item), strict=True))}
    series = np.array([row_of.get(key, -1) for key in zip(store, item, strict=True)], int)
    ahead = (np.array([parse_test_day(text) for text in date], "M8[D]") - forecast.origin).astype(float)  # NaT becomes NaN
    horizon = forecast.point.shape[1]
    repeated = np.ones(len(identifier), bool)
    repeated[np.unique(identifier, return_index=True)[1]] = False
    last = forecast.origin + horizon
    found = [describe_rows(problem, np.flatnonzero(wrong), says, remedy) for problem, wrong, says, remedy in (
        ("with a store and item that the sales do not have", series < 0,
         [f"store {s}, item {i}" for s, i in zip(store, item, strict=True)], "Remove them, or add their sales to data.source"),
        (f"with a date outside {forecast.origin + 1} to {last}", ~((ahead >= 1) & (ahead <= horizon)),
         date, "Set data.as_of to the day before the test begins, or raise forecast.horizon"),
        ("with no id, or one that stood before", repeated | (np.array(identifier) == ""), identifier, "Make the ids unique"),
    ) if wrong.any()]
    if found:
        raise UserError("\n  ".join([f"{file}: {found[0]}", *found[1:]]))
    sales = forecast.point[series, ahead.astype(int) - 1].astype("f8")
    return list(zip(identifier, np.round(sales, DECIMALS).tolist(), strict=True))


def describe_rows(problem: str, rows: np.ndarray, says: list[str], remedy: str) -> str:
    """Some wrong rows in words; the header is line 1."""
    named = [f"line {row + 2}: {says[row]!r}" for row in rows[:SHOWN]]
    return (f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} {problem}: "
            f"{list_some(named, total=len(rows), separator='; ')}. {remedy}")


def parse_test_day(text: str) -> np.datetime64:
    """A date in ISO form; not-a-time where it is none."""
    try:
        return np.datetime64(text, "D") if len(text) == 10 else np.datetime64("NaT")
    except ValueError:
        return np.datetime64("NaT")


NEEDS = ", ".join(ASKED)


def read_test_file(content: bytes, file: str) -> dict[str, list[str]]:
    """The columns of a test file, as text; `file` is what messages call it."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names, *values = [row for row in rows if row]
        columns = dict(zip(names, map(list, zip(*values, strict=True)), strict=True)) if values else {name: [] for name in names}
    except (UnicodeDecodeError, csv.Error, ValueError) as error:  # ValueError: no row, or one of another length
        raise UserError(f"{file} cannot be read ({error}): data.test_file in params.yaml needs a CSV with {NEEDS}") from None
    missing = [name for name in ASKED if name not in columns]
    if missing:
        raise UserError(f"{file} has no column {', '.join(missing)}: data.test_file needs {NEEDS}")
    return columns
