"""A source's rows on the series × day grid, as it states them; rows that say nothing sensible are reported, all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyarrow import csv

from stages.forecasting.arrow import to_numpy
from stages.forecasting.errors import UserError
from stages.forecasting.source import Source

SHOWN = 5  # offenders named in a message
DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?Z?")
INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
NO_VALUE = frozenset(csv.ConvertOptions().null_values) | {"None"}
LARGEST = float(np.finfo("f4").max)
YEARS = np.array(["1970-01-01", "2100-01-01"], "M8[D]")  # a date outside them is a typing error that would fill a century


@dataclass(frozen=True)
class Records:
    """S series, sorted by store, then item, on D consecutive days, as the source states them.

    Attributes:
        store, item: (S,) ids, int64 or str objects.
        dates: (D,) datetime64[D].
        sales: (S, D) float32, units per day, NaN where the source has none.
        row: (S, D) bool, whether the source has a row.
        known: (S, D, K) float32, the known-future columns, NaN where the source has none.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    row: np.ndarray
    known: np.ndarray
    known_names: tuple[str, ...] = ()

    def name(self, series: int) -> str:
        return f"store {self.store[series]}, item {self.item[series]}"


@dataclass(frozen=True)
class Offenders:
    """Rows that cannot be used: their positions in the file's order, what each says, and what to do."""

    problem: str
    rows: np.ndarray
    says: list[str]
    remedy: str


def records(source: Source, file: str, known: tuple[str, ...]) -> tuple[Records, dict[str, int]]:
    """The grid and what was mended on the way; one UserError names every kind of offending row."""
    table = source.table
    if table.num_rows == 0:
        raise UserError(f"{file} has no rows")
    store, stores, blank_stores, trimmed_stores = ids(table["store"])
    item, items, blank_items, trimmed_items = ids(table["item"])
    day, undated, timed = days(table["date"])
    numbers = {name: numeric(table[name]) for name in ("sales", *known)}
    sales = numbers["sales"][0]

    found = [
        offenders("without a store", blank_stores, table, "store", "Fill in the id"),
        offenders("without an item", blank_items, table, "item", "Fill in the id"),
        offenders("with a date that is none", undated, table, "date", "Write days between 1970 and 2099 as YYYY-MM-DD"),
        *(offenders(f"with {name} that is not a number", text, table, name, "Write a number, or nothing where it is unknown")
          for name, (_, text) in numbers.items()),
        *(offenders(f"with infinite {name}", np.abs(values) > LARGEST, table, name, "Correct it, or leave it empty")
          for name, (values, _) in numbers.items()),
        offenders("with negative sales", sales < 0, table, "sales", "Write returns elsewhere, or leave the value empty"),
    ]
    report(source, file, found)

    pairs, series = distinct(store.astype(np.int64) * len(items) + item)
    dates = np.arange(day.min(), day.max() + 1)
    column = (day - dates[0]).astype(int)
    shape = (len(pairs), len(dates))
    report(source, file, [duplicates(series * shape[1] + column, source, table)])

    def grid(values: np.ndarray) -> np.ndarray:
        out = np.full(shape, np.nan, "f4")
        out[series, column] = values
        return out

    row = np.zeros(shape, bool)
    row[series, column] = True
    grids = np.stack([grid(numbers[name][0]) for name in known], axis=2) if known else np.empty((*shape, 0), "f4")
    result = Records(stores[pairs // len(items)], items[pairs % len(items)], dates, grid(sales), row, grids, known)
    return result, {"ids_trimmed": trimmed_stores + trimmed_items, "dates_with_a_time_of_day": timed}


def distinct(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, sorted, and the position of each row's (N,); fast where equal keys stand together."""
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    values, position = np.unique(key[start], return_inverse=True)
    return values, np.repeat(position, np.diff(np.append(start, len(key))))


def offenders(problem: str, wrong: np.ndarray, table: pa.Table, column: str, remedy: str) -> Offenders:
    """The rows where `wrong` (N,) bool holds, quoted."""
    rows = np.flatnonzero(wrong)
    return Offenders(problem, rows, [repr(str(table[column][int(row)].as_py())) for row in rows[:SHOWN]], remedy)


def duplicates(cell: np.ndarray, source: Source, table: pa.Table) -> Offenders:
    """The rows whose cell of the grid (N,) an earlier row has taken."""
    position = np.arange(len(cell))
    first = np.empty(cell.max() + 1, np.int64)
    first[cell[::-1]] = position[::-1]
    rows = np.flatnonzero(first[cell] != position)
    says = []
    for row in rows[:SHOWN]:
        key = " ".join(str(table[name][int(row)].as_py()) for name in ("store", "item", "date"))
        says.append(f"({key}) as in {source.unit} {source.numbers(first[cell[row : row + 1]])[0]}")
    remedy = "Keep one row per store, item and day, or add them up"
    return Offenders("with the store, item and date of an earlier row", rows, says, remedy)


def report(source: Source, file: str, found: list[Offenders]) -> None:
    """Raise one error that names the offenders of every kind, if there are any."""
    problems = []
    for kind in found:
        if len(kind.rows):
            numbers = source.numbers(kind.rows[:SHOWN])
            shown = "; ".join(f"{source.unit} {number}: {says}" for number, says in zip(numbers, kind.says, strict=True))
            more = f"; and {len(kind.rows) - SHOWN:,} more" if len(kind.rows) > SHOWN else ""
            count = "1 row" if len(kind.rows) == 1 else f"{len(kind.rows):,} rows"
            problems.append(f"{count} {kind.problem}: {shown}{more}. {kind.remedy}.")
    if problems:
        raise UserError("\n  ".join([f"{file}: {problems[0]}", *problems[1:]]))


def encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """The column as codes (N,), -1 where null, into its distinct values: parsing those is enough."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    return to_numpy(array.indices, null=-1), array.dictionary


def ids(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Codes (N,) into the sorted ids, those ids, where there is none (N,) bool, and how many rows had spaces around them.

    Ids are int64 where each one is an integer written without leading zeros, text otherwise.
    """
    codes, values = encoded(column)
    padded = ["" if value is None or value != value else str(value) for value in values.to_pylist()]
    if pa.types.is_floating(values.type):  # pandas turns integers with gaps into floats
        padded = [text.removesuffix(".0") for text in padded]
    texts = [text.strip() for text in padded]
    blank = np.array([not text for text in texts] + [True])  # the last stands for null, code -1
    trimmed = np.array([a != b for a, b in zip(texts, padded, strict=True)] + [False])
    integers = all(INTEGER.fullmatch(text) for text in texts if text)
    distinct, position = np.unique(np.array([int(text or 0) for text in texts] if integers else texts), return_inverse=True)
    sorted_ids = distinct if integers else distinct.astype(object)
    return np.append(position, 0)[codes], sorted_ids, blank[codes], int(trimmed[codes].sum())


def days(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, int]:
    """(N,) datetime64[D], where there is none (N,) bool, and how many rows wrote midnight behind the day."""
    codes, values = encoded(column)
    if pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
        moment = to_numpy(values.cast(pa.timestamp("us"), safe=False).view(pa.int64())).astype("M8[us]")
        day = moment.astype("M8[D]")
        wrong = day != moment
        timed = np.zeros(len(day), bool)
    else:
        texts = [str(value).strip() for value in values.to_pylist()]
        parsed = [parse_day(text) for text in texts]
        day = np.array(parsed, "M8[D]")
        wrong = np.isnat(day)
        timed = np.array([len(text) > 10 for text in texts], bool)
    wrong |= (day < YEARS[0]) | (day >= YEARS[1])
    return np.append(day, YEARS[:1])[codes], np.append(wrong, True)[codes], int(np.append(timed, False)[codes].sum())


def parse_day(text: str) -> np.datetime64:
    match = DATE.fullmatch(text)
    try:
        return np.datetime64(match[1] if match else "NaT", "D")
    except ValueError:
        return np.datetime64("NaT")


def numeric(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) float64, NaN where empty, and where the value is no number (N,) bool."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return to_numpy(column.cast(pa.float64())), np.zeros(len(column), bool)
    codes, values = encoded(column)
    texts = ["" if value is None else str(value).strip() for value in values.to_pylist()]
    empty = [text in NO_VALUE for text in texts]
    right = [bool(NUMBER.fullmatch(text)) for text in texts]
    parsed = [float(text) if ok else np.nan for text, ok in zip(texts, right, strict=True)]
    wrong = [not (ok or none) for ok, none in zip(right, empty, strict=True)]
    return np.array([*parsed, np.nan])[codes], np.array([*wrong, False])[codes]
