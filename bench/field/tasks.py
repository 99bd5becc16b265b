"""Real sales as tasks: what was known at an origin, and what came in the days after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from demand.ingest import table_reader
from demand.ingest.data_params import DataParams
from demand.ingest.records import Records, read_records
from demand.panel.arrow import to_arrow
from demand.schema.errors import UserError

HORIZON = 28  # days


@dataclass(frozen=True)
class Task:
    """S series with a row up to the origin: everything that a method may see, and nothing after the origin.

    Attributes:
        store, item: (S,) ids as text.
        dates: (D,) datetime64[D], the last one is the origin.
        sales: (S, D) float32, units per day: a day without a row is 0 from the series' first row on; NaN before it, and where a
            row states no sales.
        row: (S, D) bool, whether the source has a row.
        planned: (S, D + HORIZON, K) float32, the planned columns on every day, listed or not: values are carried forward, and
            back to the series' first one.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    row: np.ndarray
    planned: np.ndarray
    planned_names: tuple[str, ...] = ()

    @property
    def origin(self) -> np.datetime64:
        """The last known day."""
        return np.datetime64(self.dates[-1], "D")


def read_sales(layout: DataParams) -> Records:
    """All rows of a file on the series × day grid, by the library's own ingest."""
    try:
        data = pa.py_buffer(Path(layout.source).read_bytes())
    except OSError as error:
        raise UserError(f"{layout.source} cannot be read ({error}): the manifest's paths are relative to its folder") from None
    return read_records(table_reader.read(data, layout), layout)[0]


def cut_at(records: Records, origin: np.datetime64) -> tuple[Task, np.ndarray]:
    """The task at an origin, and the actual sales (S, HORIZON): 0 without a row, NaN where a row states none.

    Raises:
        UserError: the file has no row up to the origin, or does not reach HORIZON days beyond it.
    """
    last = int((origin - records.dates[0]).astype(int))
    if last < 0 or last + HORIZON >= len(records.dates):
        raise UserError(f"origin {origin}: the rows reach from {records.dates[0]} to {records.dates[-1]}; choose a day that "
                        f"leaves {HORIZON} days after it")
    known, stated = records.row[:, :last + 1].any(axis=1), slice(0, last + 1)
    sales = np.where(records.row, records.sales, np.float32(0))[known]
    before = np.arange(len(records.dates)) < records.row[known].argmax(axis=1)[:, None]
    sales[before] = np.nan
    store, item = (np.array([str(one) for one in ids[known]], object) for ids in (records.store, records.item))
    task = Task(store, item, records.dates[stated], sales[:, stated], records.row[known, stated],
                carried(records.known[known, :last + 1 + HORIZON]), records.known_names)
    return task, sales[:, last + 1:last + 1 + HORIZON]


def carried(values: np.ndarray) -> np.ndarray:
    """(S, D, K) with every gap closed: by the last value before it, else the first one after it, else the column's median."""
    filled = values.copy()
    for day in range(1, filled.shape[1]):
        filled[:, day] = np.where(np.isnan(filled[:, day]), filled[:, day - 1], filled[:, day])
    for day in reversed(range(filled.shape[1] - 1)):
        filled[:, day] = np.where(np.isnan(filled[:, day]), filled[:, day + 1], filled[:, day])
    for k in range(filled.shape[2]):
        column = filled[:, :, k]
        column[np.isnan(column)] = np.nanmedian(column) if not np.isnan(column).all() else 0
    return filled


def visible_table(task: Task) -> pa.Table:
    """The task as a source's rows: the stated ones, and the planned columns of the HORIZON days with empty sales."""
    stated = np.zeros((len(task.store), len(task.dates) + (HORIZON if task.planned_names else 0)), bool)
    stated[:, :len(task.dates)] = task.row
    stated[:, len(task.dates):] = True
    series, day = np.nonzero(stated)
    sales = np.full(stated.shape, np.nan)
    sales[:, :len(task.dates)] = np.where(task.row, task.sales, np.nan)
    dates = task.dates[0] + np.arange(stated.shape[1])
    columns = {"date": to_arrow(dates[day]), "store": pa.array(task.store[series], pa.string()),
               "item": pa.array(task.item[series], pa.string()), "sales": pa.array(sales[series, day], from_pandas=True)}
    planned = {name: pa.array(task.planned[series, day, k]) for k, name in enumerate(task.planned_names)}
    return pa.table(columns | planned)
