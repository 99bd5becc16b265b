"""A source's rows on the series × day grid, as it states them; rows that say nothing sensible are reported, all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from demand.ingest.cell_values import parse_days, parse_ids, parse_numbers, text_of_value
from demand.ingest.data_params import DataParams
from demand.ingest.table_reader import Source
from demand.schema.errors import UserError
from demand.schema.listing import SHOWN, list_some

CELL_BYTES = 60  # of memory that the prepare stage takes for a series and day: measured
LARGE_BYTES = 4 * 10**9
SPARSE = 0.01  # share of the grid's cells that have a row
LARGEST = float(np.finfo("f4").max)


@dataclass(frozen=True)
class Records:
    """S series, sorted by store, then item, on D consecutive days, as the source states them.

    Attributes:
        store, item: (S,) ids, int64 or str objects.
        dates: (D,) datetime64[D].
        sales: (S, D) float32, units per day, NaN where the source has none.
        row: (S, D) bool, whether the source has a row.
        known: (S, D, K) float32, the known-future columns, NaN where the source has none.
        closed: (S, D) bool, days on which the source lets conclude that the store was closed; None: no such day.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    row: np.ndarray
    known: np.ndarray
    known_names: tuple[str, ...] = ()
    closed: np.ndarray | None = None

    def name(self, series: int) -> str:
        return f"store {self.store[series]}, item {self.item[series]}"


@dataclass(frozen=True)
class Offenders:
    """Rows that cannot be used: their positions in the file's order, what each says, and what to do."""

    problem: str
    rows: np.ndarray
    says: list[str]
    remedy: str


@dataclass(frozen=True)
class Cells:
    """N rows' parsed values: codes (N,) into the sorted ids of stores and items, the day, and the numbers of each column."""

    store: np.ndarray
    stores: np.ndarray
    item: np.ndarray
    items: np.ndarray
    day: np.ndarray
    numbers: dict[str, np.ndarray]


def read_records(source: Source, layout: DataParams) -> tuple[Records, dict[str, Any]]:
    """The grid, and what was mended and decided on the way; one UserError names every kind of offending row."""
    if source.table.num_rows == 0:
        raise UserError(f"{layout.source} has no rows")
    cells, mended = parse_cells(source, layout)
    pairs, series = distinct(cells.store.astype(np.int64) * len(cells.items) + cells.item)
    dates = np.arange(cells.day.min(), cells.day.max() + 1)
    column = (cells.day - dates[0]).astype(int)
    shape, known = (len(pairs), len(dates)), layout.known_future
    refuse_gigabytes(shape, source.table.num_rows, layout.source)
    if not layout.adds_up:
        report_offenders(source, layout.source, [duplicates(series * shape[1] + column, source, source.table)])

    def grid(values: np.ndarray) -> np.ndarray:
        out = np.full(shape, np.nan, "f4")
        out[series, column] = values
        return out

    row = np.zeros(shape, bool)
    row[series, column] = True
    grids = np.stack([grid(cells.numbers[name]) for name in known], axis=2) if known else np.empty((*shape, 0), "f4")
    sales = cells.numbers["sales"]
    units, counts = day_sums(sales, series, column, shape) if layout.adds_up else (grid(sales), {})
    store, item = cells.stores[pairs // len(cells.items)], cells.items[pairs % len(cells.items)]
    return Records(store, item, dates, units, row, grids, known), mended | counts


def parse_cells(source: Source, layout: DataParams) -> tuple[Cells, dict[str, Any]]:
    """Every row's values, and what was mended and decided; a UserError names the rows without sensible ones."""
    table, summed = source.table, layout.adds_up
    store, stores, blank_stores, trimmed_stores = parse_ids(table["store"])
    item, items, blank_items, trimmed_items = parse_ids(table["item"])
    day, undated, timed, cut, written = parse_days(table["date"], layout.date_format, summed, layout.source)
    numbers = {name: parse_numbers(table[name]) for name in ("sales", *layout.known_future)}
    no_row = undated & (blank_stores | blank_items)
    report_offenders(source, layout.source, [
        offenders("with neither a day nor an id", no_row, table, "date", "Remove totals and remarks"),
        offenders("without a store", blank_stores & ~no_row, table, "store", fill_in("store", blank_stores)),
        offenders("without an item", blank_items & ~no_row, table, "item", fill_in("item", blank_items)),
        offenders("with a date that is none", undated & ~no_row & ~timed, table, "date",
                  "Write days between 1970 and 2099 as YYYY-MM-DD, or set data.date_format in params.yaml"),
        offenders("with a time of day", timed & (not summed), table, "date",
                  "Set data.transactions: true to add up the rows of a day; where each row is a day of another time zone, write "
                  "its own day"),
        *(offenders(f"with {name} that is not a number", text, table, name, "Write a number, or nothing where it is unknown")
          for name, (_, text) in numbers.items()),
        *(offenders(f"with infinite {name}", np.abs(values) > LARGEST, table, name, "Correct it, or leave it empty")
          for name, (values, _) in numbers.items()),
        offenders("with negative sales", (numbers["sales"][0] < 0) & (not summed), table, "sales",
                  "Write returns elsewhere, leave the value empty, or set data.transactions: true to take returns off their day"),
    ])
    dated = [f"dates are read as {written}"] if written and layout.date_format is None else []
    return Cells(store, stores, item, items, day, {name: values for name, (values, _) in numbers.items()}), {
        "read_as": [*source.decisions, *dated], "ids_trimmed": trimmed_stores + trimmed_items,
        "dates_with_a_time_of_day": int(cut.sum())}


def refuse_gigabytes(shape: tuple[int, int], rows: int, file: str) -> None:
    """A UserError, before any memory is taken, where the series x day grid does not fit, or is large and all but empty."""
    need, here = shape[0] * shape[1] * CELL_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sparse = need > LARGE_BYTES and rows < SPARSE * shape[0] * shape[1]
    if need <= here and not sparse:
        return
    hint = ": is the number of an order or a customer taken for a store or item (data.columns)?" if sparse else \
        ": forecast fewer series or a shorter history at a time, or use a machine with more memory"
    raise UserError(f"{file}: {rows:,} rows make {shape[0]:,} series on {shape[1]:,} days, which would take about "
                    f"{need / 1e9:,.0f} GB of memory{hint}")


def day_sums(sales: np.ndarray, series: np.ndarray, column: np.ndarray,
             shape: tuple[int, int]) -> tuple[np.ndarray, dict[str, int]]:
    """(S, D) float32 units per day of transactions (N,), and counts: a return is taken off its own day, and no day is below 0."""
    stated = ~np.isnan(sales)
    cell = (series * shape[1] + column)[stated]
    total = np.bincount(cell, sales[stated], shape[0] * shape[1])
    rows = np.bincount(cell, minlength=len(total))
    below = (rows > 0) & (total < 0)
    units = np.where(rows > 0, np.maximum(total, 0), np.nan).astype("f4").reshape(shape)
    return units, {"transactions_added_up": int(stated.sum() - (rows > 0).sum()), "returns": int((sales[stated] < 0).sum()),
                   "days_below_zero_set_to_0": int(below.sum())}


def distinct(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, sorted, and the position of each row's (N,); fast where equal keys stand together."""
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    values, position = np.unique(key[start], return_inverse=True)
    return values, np.repeat(position, np.diff(np.append(start, len(key))))


def fill_in(name: str, blank: np.ndarray) -> str:
    """What to do where an id (N,) is not there."""
    return f"Fill in the id{f', or set data.columns.{name}: null in params.yaml' if blank.all() else ''}"


def offenders(problem: str, wrong: np.ndarray, table: pa.Table, column: str, remedy: str) -> Offenders:
    """The rows where `wrong` (N,) bool holds, quoted."""
    rows = np.flatnonzero(wrong)
    return Offenders(problem, rows, [repr(text_of_value(table[column][int(row)])) for row in rows[:SHOWN]], remedy)


def duplicates(cell: np.ndarray, source: Source, table: pa.Table) -> Offenders:
    """The rows whose cell of the grid (N,) an earlier row has taken."""
    position = np.arange(len(cell))
    first = np.empty(cell.max() + 1, np.int64)
    first[cell[::-1]] = position[::-1]
    rows = np.flatnonzero(first[cell] != position)
    says = []
    for row in rows[:SHOWN]:
        key = " ".join(text_of_value(table[name][int(row)]) for name in ("store", "item", "date"))
        says.append(f"({key}) as in {source.unit} {source.numbers(first[cell[row : row + 1]])[0]}")
    remedy = "Keep one row per store, item and day, or set data.transactions: true to add them up"
    return Offenders("with the store, item and date of an earlier row", rows, says, remedy)


def report_offenders(source: Source, file: str, found: list[Offenders]) -> None:
    """Raise one error that names the offenders of every kind, if there are any."""
    problems = []
    for kind in found:
        if len(kind.rows):
            numbers = source.numbers(kind.rows[:SHOWN])
            named = [f"{source.unit} {number}: {says}" for number, says in zip(numbers, kind.says, strict=True)]
            count = "1 row" if len(kind.rows) == 1 else f"{len(kind.rows):,} rows"
            problems.append(f"{count} {kind.problem}: {list_some(named, total=len(kind.rows), separator='; ')}. {kind.remedy}.")
    if problems:
        raise UserError("\n  ".join([f"{file}: {problems[0]}", *problems[1:]]))
