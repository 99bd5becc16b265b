"""A forecast of one series under other circumstances: the model itself, on a panel of that series alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from demand.model.base.level import GlobalLevel
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, Panel

DECIMALS = 6  # of units per day


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

    def forecast(self, row: int, recent: Sequence[float | None], known: Mapping[str, Mapping[int, float]]) -> np.ndarray:
        """(H, 5) float64, units per day, as in Table.values.

        Args:
            row: position of the series.
            recent: units per day, oldest first, the last one that of the origin; None where the recorded sales are right.
            known: values of known-future columns by day of the forecast, 0 the day after the origin.
        """
        sales, raw, values = (array[row : row + 1].copy() for array in (self.sales, self.status, self.known))
        status = raw.copy()
        if status[0, self.origin] in (ABSENT, FUTURE):  # a panel reaches as far as its sales
            status[0, self.origin] = FILLED
        for back, sold in enumerate(reversed(recent)):
            day = self.origin - back
            if sold is not None and day >= 0 and not (sold == 0 and raw[0, day] == CLOSED):
                sales[0, day], status[0, day] = sold, OBSERVED
        for name, days in known.items():
            for day, value in days.items():
                values[0, self.origin + 1 + day, self.known_names.index(name)] = value
        panel = Panel(self.store[row : row + 1], self.item[row : row + 1], self.dates, sales, sales, status, values,
                      self.known_names)
        closing = None if "open" in self.known_names else self.closing[row : row + 1]
        made = self.model.predict(panel, self.dates[self.origin], self.closing.shape[1], self.pool, closing)
        return stacked(made)[0]
