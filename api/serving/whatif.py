"""A forecast of one series under other circumstances: the model itself, on a panel of that series alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from demand.cleaning.closed_days import implausible_zeros
from demand.cleaning.prepare_params import DEFAULTS
from demand.model.base.closing_probability import habit
from demand.model.base.level import GlobalLevel
from demand.model.demand_model import DemandModel
from demand.model.explanation import EXACT_ROWS, Explanation, explain
from demand.panel.attributes import Attributes
from demand.panel.calendar import YEAR
from demand.panel.forecast import Forecast
from demand.panel.panel import CLOSED, FILLED, OBSERVED, OPEN, OUTLIER, Panel, is_past, is_stated
from demand.panel.store_events import StoreEvents

DECIMALS = 6  # of units per day
PART = 50  # series that are explained at a time


def stacked(made: Forecast) -> np.ndarray:
    """(S, H, 5) float64, to DECIMALS: the point, then the ends of the 80 % and of the 95 % interval.

    JSON would shorten float32 to what float32 can tell apart, and write digits of it as float64 that mean nothing.
    """
    parts = (made.point, made.low[80], made.high[80], made.low[95], made.high[95])
    return np.round(np.stack(parts, axis=2, dtype="f8"), DECIMALS)


@dataclass(frozen=True)
class WhatIf:
    """One model and what it needs of the panel that all series are in.

    Attributes:
        store, item: (S,) ids.
        dates: (D,) the time axis; `origin` is the position of the last day with sales.
        sales, status, known: as in Panel, mapped files.
        closing: (S, H) chance_of_closing: it asks what other series did on a holiday, which a panel of one cannot know.
        trades: (S, D) store_trades, for the same reason.
        events, attributes: as in Panel.
    """

    model: DemandModel
    pool: GlobalLevel
    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    origin: int
    known_names: tuple[str, ...]
    sales: np.ndarray
    status: np.ndarray
    known: np.ndarray
    closing: np.ndarray
    trades: np.ndarray
    events: StoreEvents | None = None
    attributes: Attributes | None = None

    def recorded(self, row: int, days: slice) -> np.ndarray:
        """(N,) float32 units per day of a series, NaN on days that were filled: what is not known is not shown as sold."""
        return np.where(self.status[row, days] == FILLED, np.float32(np.nan), self.sales[row, days])

    def forecast(self, row: int, recent: Sequence[float | None], known: Mapping[str, Mapping[int, float]]) -> np.ndarray:
        """(H, 5) float64, units per day, as in Table.values.

        A zero is a closed day where prepare would take it for one. Sales that are nowhere below the recorded ones raise every
        day of the forecast at least as they raise the series' own mean of the last year, and likewise down: the model alone may
        take a single series' change for chance, or for a spell that ends.

        Args:
            row: position of the series.
            recent: units per day, oldest first, the last one that of the origin; None where the recorded sales are right.
            known: values of known-future columns by day of the forecast, 0 the day after the origin.
        """
        sales, status, values = (array[row : row + 1].copy() for array in (self.sales, self.status, self.known))
        if not is_past(status[0, self.origin]):  # a panel reaches as far as its sales
            status[0, self.origin] = FILLED
        for name, days in known.items():
            for day, value in days.items():
                values[0, self.origin + 1 + day, self.known_names.index(name)] = value
        recorded = sales.copy(), status.copy()
        for back, sold in enumerate(reversed(recent)):
            day = self.origin - back
            if sold is not None and day >= 0 and sales[0, day] != np.float32(sold):
                sales[0, day], status[0, day] = sold, OBSERVED
        if OPEN not in self.known_names:
            close_zeros(sales, status, (sales != recorded[0]) | (status != recorded[1]), self.origin + 1)
        made = self.predict(row, sales, status, values)
        rise = rise_of_mean(recorded, (sales, status), self.origin + 1)
        if rise == 1:
            return made
        bound = rise * self.predict(row, *recorded, values)
        beyond = made[:, 0] < bound[:, 0] if rise > 1 else made[:, 0] > bound[:, 0]
        return np.round(np.where(beyond[:, None], bound, made), DECIMALS)

    def predict(self, row: int, sales: np.ndarray, status: np.ndarray, known: np.ndarray) -> np.ndarray:
        """(H, 5) the model's forecast of a series with these arrays (1, D)."""
        panel = Panel(self.store[row : row + 1], self.item[row : row + 1], self.dates, sales, sales, status, known,
                      self.known_names, self.events, self.attributes)
        recorded = replace(panel, sales=self.sales[row : row + 1], status=self.status[row : row + 1])
        closing, trades = None, self.trades[row : row + 1]
        if OPEN not in self.known_names:
            closing, end = self.closing[row : row + 1], self.origin + 1
            was, now = (closing_habit(self.model.on_sale(shown, self.origin, 1, trades)[0].status, end, closing.shape[1])
                        for shown in (recorded, panel))
            closing = np.where(was == now, closing, np.maximum(now, np.where(closing > was, closing, 0)))
        made = self.model.predict(panel, self.dates[self.origin], self.closing.shape[1], self.pool, closing, trades)
        return stacked(made)[0]


    def explain(self, rows: np.ndarray, first: int, last: int) -> Explanation:
        """The factors of the forecast of some series, as planned; PART series are in memory at a time.

        Args:
            rows: (N,) positions of the series.
            first, last: days of the forecast, 1 the day after the origin.
        """
        exact = len(rows) * (last - first + 1) <= EXACT_ROWS
        parts = [self.explain_part(rows[at:at + PART], first, last, exact) for at in range(0, len(rows), PART)]
        names = parts[0].factors  # the same in every part
        return replace(parts[0], factors={name: np.concatenate([part.factors[name] for part in parts]) for name in names})

    def explain_part(self, rows: np.ndarray, first: int, last: int, exact: bool) -> Explanation:
        """The same for series that are all in memory at once."""
        sales = self.sales[rows]
        panel = Panel(self.store[rows], self.item[rows], self.dates, sales, sales, self.status[rows], self.known[rows],
                      self.known_names, self.events, self.attributes)
        return explain(self.model, panel, self.dates[self.origin], last, first, self.pool, self.closing[rows, :last],
                       self.trades[rows], exact)


def closing_habit(status: np.ndarray, end: int, horizon: int) -> np.ndarray:
    """(1, H) share of closed days among the last of each weekday: the part of chance_of_closing that a series shows alone."""
    return habit(status[:, :end] == CLOSED, is_stated(status[:, :end]), end)[:, np.arange(horizon) % 7]


def close_zeros(sales: np.ndarray, status: np.ndarray, given: np.ndarray, end: int) -> None:
    """Mark zeros among the `given` days (1, D) before position `end` as closed, as prepare would with the usual
    parameters: the server has no params.yaml.
    """
    zero = given & (status == OBSERVED) & (sales == 0)
    if not zero[:, :end].any():
        return
    past = status[:, :end]
    stated = np.where(past == FILLED, np.nan, sales[:, :end]).astype("f4")
    zero[:, :end] &= implausible_zeros(stated, is_past(past), past == OUTLIER, DEFAULTS.closed_probability)
    zero[:, end:] = False
    status[zero] = CLOSED


def rise_of_mean(recorded: tuple[np.ndarray, np.ndarray], given: tuple[np.ndarray, np.ndarray], end: int) -> float:
    """Total sales of the year before position `end` with the given days beside the recorded total; 1 where days moved both ways.

    Args:
        recorded, given: sales and status (1, D). Days that are closed in `given` do not count: nothing was asked of them.
    """
    cut = slice(max(end - YEAR, 0), end)
    (before, was), (after, now) = ([array[0, cut] for array in pair] for pair in (recorded, given))
    before = np.where(np.isnan(before) | (was == CLOSED), 0, before).astype("f8")
    change = np.where((now == CLOSED) | np.isnan(after), 0, after - before)
    total = before.sum()
    if total <= 0 or not ((change >= 0).all() or (change <= 0).all()):
        return 1.0
    return float(1 + change.sum() / total)
