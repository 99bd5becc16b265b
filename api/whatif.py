"""A forecast of one series under other circumstances: the model itself, on a panel of that series alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.forecasting.base import Pool
from stages.forecasting.features import with_state
from stages.forecasting.model import DemandModel, Forecast
from stages.forecasting.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, Panel
from stages.forecasting.structural import Factors


def stacked(made: Forecast) -> np.ndarray:
    """(S, H, 5) float32: the point, then the ends of the 80 % and of the 95 % interval."""
    return np.stack([made.point, made.low[80], made.high[80], made.low[95], made.high[95]], axis=2)


def without_closings(status: np.ndarray, origin: int) -> np.ndarray:
    """A panel's status in which no day is closed, and which reaches the origin.

    Closed and filled days are all the same to the model but for `chance_of_closing`, which asks what other series did on a
    holiday: a panel of one series cannot know, so it is computed from all of them and applied afterwards (`closed`).
    """
    status = np.where(status == CLOSED, FILLED, status).astype("u1")
    last = status[:, origin]
    status[:, origin] = np.where((last == ABSENT) | (last == FUTURE), FILLED, last)
    return status


def closed(values: np.ndarray, closing: np.ndarray) -> np.ndarray:
    """The forecasts (H, 5) where days are closed with the chances `closing` (H,), as DemandModel.predict has it."""
    tails = np.array([0.5, 0.1, 0.9, 0.025, 0.975])
    return np.where(closing[:, None] >= tails, 0, values).astype("f4")


@dataclass(frozen=True)
class FactorsOfOne(Factors):
    """Factors for panels that hold nothing but the series of one row."""

    row: int = 0

    def rows(self, panel: Panel) -> np.ndarray:  # noqa: ARG002
        return np.array([self.row])


@dataclass(frozen=True)
class WhatIf:
    """One model and what it needs of the panel that all series are in.

    Attributes:
        store, item: (S,) ids.
        dates: (D,) the time axis; `origin` is the position of the last day with sales.
        sales, status, known: as in Panel, mapped files.
        closing: (S, H) chance_of_closing.
        fitted: row of each store and item in the model's factors.
    """

    model: DemandModel
    pool: Pool
    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    origin: int
    known_names: tuple[str, ...]
    sales: np.ndarray
    status: np.ndarray
    known: np.ndarray
    closing: np.ndarray
    fitted: dict[tuple[int | str, int | str], int]

    def forecast(self, row: int, recent: Sequence[float | None], known: Mapping[str, Mapping[int, float]]) -> np.ndarray:
        """(H, 5) float32, units per day, as in Table.values.

        Args:
            row: position of the series.
            recent: units per day, oldest first, the last one that of the origin; None where the recorded sales are right.
            known: values of known-future columns by day of the forecast, 0 the day after the origin.
        """
        sales, raw, values = (array[row : row + 1].copy() for array in (self.sales, self.status, self.known))
        status = without_closings(raw, self.origin)
        for back, sold in enumerate(reversed(recent)):
            day = self.origin - back
            if sold is not None and day >= 0 and not (sold == 0 and raw[0, day] == CLOSED):
                sales[0, day], status[0, day] = sold, OBSERVED
        for name, days in known.items():
            for day, value in days.items():
                values[0, self.origin + 1 + day, self.known_names.index(name)] = value
        panel = Panel(self.store[row : row + 1], self.item[row : row + 1], self.dates, sales, sales, status, values,
                      self.known_names)
        made = self.of_one(row).predict(with_state(panel), self.dates[self.origin], self.closing.shape[1], self.pool)
        return stacked(made)[0] if "open" in self.known_names else closed(stacked(made)[0], self.closing[row])

    def of_one(self, row: int) -> DemandModel:
        """The model for panels of one series: looking it up among 30,000 would take longer than to forecast."""
        factors = self.model.factors
        known = self.fitted.get((self.store[row], self.item[row]), len(factors.store))
        return DemandModel(self.model.facts, FactorsOfOne(**vars(factors), row=known), self.model.trees, self.model.spread)
