"""The series × day panel: every series of the data on one common time axis, as plain arrays.

The long frame (`cleaned_data.parquet`, one row per store, item and day) is for the edges. The work is done on this panel:
500 series × 1,826 days are 3.6 MB, a lag is a slice and a rolling mean a difference of cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.forecasting.arrow import to_arrow, to_numpy
from stages.forecasting.errors import UserError

# What is known of one series on one day. The order is the code in `Panel.status`.
STATUSES = ("observed", "outlier", "filled", "closed", "future", "absent")
OBSERVED, OUTLIER, FILLED, CLOSED, FUTURE, ABSENT = range(len(STATUSES))
STATUS_NAMES = to_arrow(np.array(STATUSES, object))

KEYS = ("store", "item", "date")
CLEANED = (*KEYS, "sales", "recorded", "status")


@dataclass(frozen=True)
class Panel:
    """S series on D consecutive days, sorted by store, then item.

    Attributes:
        store, item: (S,) ids, int64 or str objects.
        dates: (D,) datetime64[D], consecutive.
        sales: (S, D) float32, units per day, cleaned: outliers capped, missing days filled, closed days 0. NaN where the
            status is future or absent.
        recorded: (S, D) float32, units per day as the source has them, NaN where the source has none. Scores use these.
        status: (S, D) uint8, index into STATUSES.
        known: (S, D, K) float32, the known-future columns at the day they describe, NaN where absent.
        known_names: K names.
        state: (S, D, F) float32, features.STATE: what is known of a series before the day begins. None until computed.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    recorded: np.ndarray
    status: np.ndarray
    known: np.ndarray
    known_names: tuple[str, ...] = ()
    state: np.ndarray | None = None

    @property
    def n_series(self) -> int:
        return len(self.store)

    @property
    def trading(self) -> np.ndarray:
        """(S, D) bool: days whose sales say something about demand, that is open and not filled."""
        return (self.status == OBSERVED) | (self.status == OUTLIER)

    @property
    def last_day(self) -> np.datetime64:
        """The newest day on which any series has sales: the origin of the next forecast."""
        past = ((self.status != FUTURE) & (self.status != ABSENT)).any(axis=0)
        return self.dates[np.flatnonzero(past)[-1]]

    def column(self, day: np.datetime64) -> int:
        """The position of `day` on the time axis; may lie outside [0, D)."""
        return int((day - self.dates[0]).astype("m8[D]").astype(int))

    def through(self, day: np.datetime64) -> Panel:
        """The panel as it stood at the end of `day`: later sales are hidden, series that had not begun are left out.

        The known-future columns and the time axis stay, as they are known ahead. The arrays are copies where they change.
        """
        end = self.column(day) + 1
        begun = ((self.status[:, :end] != ABSENT) & (self.status[:, :end] != FUTURE)).any(axis=1)
        sales, recorded, status = (a[begun].copy() for a in (self.sales, self.recorded, self.status))
        sales[:, end:] = np.nan
        recorded[:, end:] = np.nan
        status[:, end:] = np.where(status[:, end:] == ABSENT, ABSENT, FUTURE)
        return replace(self, store=self.store[begun], item=self.item[begun], sales=sales, recorded=recorded, status=status,
                       known=self.known[begun], state=None if self.state is None else self.state[begun])

    def extended(self, days: int) -> Panel:
        """The panel with at least `days` days after `last_day`; new days are future, their known and state columns NaN."""
        missing = self.column(self.last_day) + 1 + days - len(self.dates)
        if missing <= 0:
            return self
        pad = ((0, 0), (0, missing))
        dates = self.dates[0] + np.arange(len(self.dates) + missing)
        return replace(self, dates=dates, sales=np.pad(self.sales, pad, constant_values=np.nan),
                       recorded=np.pad(self.recorded, pad, constant_values=np.nan),
                       status=np.pad(self.status, pad, constant_values=FUTURE),
                       known=np.pad(self.known, (*pad, (0, 0)), constant_values=np.nan),
                       state=None if self.state is None else np.pad(self.state, (*pad, (0, 0)), constant_values=np.nan))


def from_table(table: pa.Table, known: tuple[str, ...] = (), state: tuple[str, ...] = ()) -> Panel:
    """Arrays from the long form, in any row order.

    Args:
        table: one row per store, item and day, with the columns CLEANED and the known-future columns.
        known: names of the known-future columns.
        state: names of the columns for `Panel.state`.
    """
    if table.num_rows == 0:
        raise UserError("the cleaned data has no rows")
    store, item, day, new_series = keys(table)
    if not in_order(store, item, day, new_series):
        table = table.sort_by([(key, "ascending") for key in KEYS])
        store, item, day, new_series = keys(table)
    row = np.cumsum(new_series) - 1
    first = day.min()
    col = (day - first).astype(int)
    shape = (int(row[-1]) + 1, int(col.max()) + 1)

    def grid(values: np.ndarray, empty: float, dtype: str) -> np.ndarray:
        out = np.full(shape, empty, dtype)
        out[row, col] = values
        return out

    def stack(names: tuple[str, ...]) -> np.ndarray:
        out = np.full((*shape, len(names)), np.nan, "f4")
        for k, name in enumerate(names):
            out[row, col, k] = to_numpy(table[name])
        return out

    status = to_numpy(pc.index_in(table["status"].cast(pa.string()), STATUS_NAMES))
    return Panel(store=store[new_series], item=item[new_series], dates=first + np.arange(shape[1]),
                 sales=grid(to_numpy(table["sales"]), np.nan, "f4"), recorded=grid(to_numpy(table["recorded"]), np.nan, "f4"),
                 status=grid(status, ABSENT, "u1"), known=stack(known), known_names=tuple(known),
                 state=stack(state) if state else None)


def keys(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Store, item and day of each row, and whether the row begins another series than the one before."""
    store, item = (to_numpy(table[key]) for key in ("store", "item"))
    day = to_numpy(table["date"])
    return store, item, day, np.r_[True, (store[1:] != store[:-1]) | (item[1:] != item[:-1])]


def in_order(store: np.ndarray, item: np.ndarray, day: np.ndarray, new_series: np.ndarray) -> bool:
    """Whether the rows are sorted by store, item, date: then the sort, the dearest part of reading, can be left out."""
    starts = np.flatnonzero(new_series)
    store, item = store[starts], item[starts]
    series = (store[1:] > store[:-1]) | ((store[1:] == store[:-1]) & (item[1:] > item[:-1]))
    return bool(series.all() and ((day[1:] > day[:-1]) | new_series[1:]).all())


def to_table(panel: Panel) -> pa.Table:
    """The long form of the panel, sorted by store, item, date, without the absent days."""
    row, col = np.nonzero(panel.status != ABSENT)
    columns = {
        "store": to_arrow(panel.store).take(to_arrow(row)),
        "item": to_arrow(panel.item).take(to_arrow(row)),
        "date": to_arrow(panel.dates[col]),
        "sales": to_arrow(panel.sales[row, col]),
        "recorded": to_arrow(panel.recorded[row, col]),
        "status": pa.DictionaryArray.from_arrays(to_arrow(panel.status[row, col].astype("i1")), STATUS_NAMES),
    }
    for k, name in enumerate(panel.known_names):
        columns[name] = to_arrow(panel.known[row, col, k])
    return pa.table(columns)
