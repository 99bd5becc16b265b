"""The series × day panel: every series of the data on one common time axis, as plain arrays.

The long frame (`cleaned_data.parquet`, one row per store, item and day) is for the edges. The work is done on this panel:
500 series × 1,826 days are 3.6 MB, a lag is a slice and a rolling mean a difference of cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.panel.attributes import Attributes
from demand.panel.store_events import StoreEvents

# What is known of one series on one day. The order is the code in `Panel.status`.
STATUSES = ("observed", "outlier", "filled", "closed", "future", "absent")
OBSERVED, OUTLIER, FILLED, CLOSED, FUTURE, ABSENT = range(len(STATUSES))
OPEN = "open"  # the known-future column that plans closed days


def is_past(status: np.ndarray) -> np.ndarray:
    """Bool, like the statuses: days of a series' life that have passed, whether its sales are known or were filled."""
    return (status != ABSENT) & (status != FUTURE)


def is_stated(status: np.ndarray) -> np.ndarray:
    """Bool, like the statuses: past days of which the source says what was sold, or that they were closed."""
    return is_past(status) & (status != FILLED)


def is_trading(status: np.ndarray) -> np.ndarray:
    """Bool, like the statuses: days whose sales say something about demand, that is open and not filled."""
    return (status == OBSERVED) | (status == OUTLIER)


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
        events: what is known ahead of the stores' holidays and other events; None without a calendar.
        attributes: categories of the items and stores; None without any.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    recorded: np.ndarray
    status: np.ndarray
    known: np.ndarray
    known_names: tuple[str, ...] = ()
    events: StoreEvents | None = None
    attributes: Attributes | None = None

    @property
    def n_series(self) -> int:
        return len(self.store)

    @property
    def trading(self) -> np.ndarray:
        """(S, D) bool: days whose sales say something about demand (is_trading)."""
        return is_trading(self.status)

    @property
    def last_day(self) -> np.datetime64:
        """The newest day on which any series has sales: the origin of the next forecast."""
        return self.dates[np.flatnonzero(is_past(self.status).any(axis=0))[-1]]

    def column(self, day: np.datetime64) -> int:
        """The position of `day` on the time axis; may lie outside [0, D)."""
        return int((day - self.dates[0]).astype("m8[D]").astype(int))

    def through(self, day: np.datetime64) -> Panel:
        """The panel as it stood at the end of `day`: later sales are hidden, series that had not begun are left out.

        The known-future columns and the time axis stay, as they are known ahead. The arrays are copies where they change.
        """
        end = self.column(day) + 1
        begun = is_past(self.status[:, :end]).any(axis=1)
        sales, recorded, status = (a[begun].copy() for a in (self.sales, self.recorded, self.status))
        sales[:, end:] = np.nan
        recorded[:, end:] = np.nan
        status[:, end:] = np.where(status[:, end:] == ABSENT, ABSENT, FUTURE)
        return replace(self, store=self.store[begun], item=self.item[begun], sales=sales, recorded=recorded, status=status,
                       known=self.known[begun])

    def extended(self, days: int) -> Panel:
        """The panel with at least `days` days after `last_day`; new days are future, their known-future columns NaN."""
        missing = self.column(self.last_day) + 1 + days - len(self.dates)
        if missing <= 0:
            return self
        pad = ((0, 0), (0, missing))
        dates = self.dates[0] + np.arange(len(self.dates) + missing)
        return replace(self, dates=dates, sales=np.pad(self.sales, pad, constant_values=np.nan),
                       recorded=np.pad(self.recorded, pad, constant_values=np.nan),
                       status=np.pad(self.status, pad, constant_values=FUTURE),
                       known=np.pad(self.known, (*pad, (0, 0)), constant_values=np.nan))


def closed_by_plan(panel: Panel) -> np.ndarray:
    """(S, D) bool: days that are closed, as recorded, inferred, or planned by the known-future column `open`."""
    closed = panel.status == CLOSED
    return closed if OPEN not in panel.known_names else closed | (panel.known[:, :, panel.known_names.index(OPEN)] == 0)


def rows_of(panel: Panel, history: Panel) -> np.ndarray:
    """(S,) bool: which of the panel's series are among the history's; both are in the same order."""
    wanted = set(zip(history.store.tolist(), history.item.tolist(), strict=True))
    return np.array([key in wanted for key in zip(panel.store.tolist(), panel.item.tolist(), strict=True)])
