"""Residuals: actual sales beside the forecast of them, on days that say something about demand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.panel.forecast import Forecast
from demand.panel.panel import OBSERVED, Panel, rows_of

MIN_EXPECTED_UNITS = 20.0  # expected sales, units; below, zero sales may be chance
SD_PER_INTERVAL = 1 / (2 * 1.28155)  # an 80 % interval of a normal distribution is 2.56 standard deviations wide


@dataclass(frozen=True)
class Residuals:
    """Actual sales and their forecast: S series on H days.

    Attributes:
        store, item: (S,) ids.
        dates: (H,).
        sales: (S, H) units, NaN on days that say nothing about demand (closed, filled, outlier, without data, unknown)
            or with a forecast of 0.
        forecast, sd: (S, H) units; sd is the standard deviation that the 80 % interval implies.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    forecast: np.ndarray
    sd: np.ndarray

    def days(self, start: int, end: int) -> Residuals:
        """The days from position `start` to before `end`."""
        cut = slice(start, end)
        return replace(self, dates=self.dates[cut], sales=self.sales[:, cut], forecast=self.forecast[:, cut], sd=self.sd[:, cut])

    def without(self, series: np.ndarray) -> Residuals:
        """Without the sales of some series, (S,) bool."""
        return replace(self, sales=np.where(series[:, None], np.nan, self.sales))


def residuals_of(panel: Panel, shown: Panel, forecast: Forecast) -> Residuals:
    """The residuals of a forecast for the series of the panel `shown`, as far as the panel has sales."""
    start, days = panel.column(forecast.origin) + 1, forecast.point.shape[1]
    days = min(days, len(panel.dates) - start)
    rows, cut = rows_of(panel, shown), slice(start, start + days)
    point = forecast.point[:, :days].astype("f8")
    sd = (forecast.high[80] - forecast.low[80])[:, :days].astype("f8") * SD_PER_INTERVAL
    usable, sales = (panel.status[rows, cut] == OBSERVED) & (point > 0) & (sd > 0), panel.sales[rows, cut]
    usable &= ~days_without_data(shown.store, np.where(usable, sales, 0), np.where(usable, point, 0))
    return Residuals(shown.store, shown.item, panel.dates[cut], np.where(usable, sales, np.nan), point, sd)


def days_without_data(store: np.ndarray, sales: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(S, H) bool: True where nothing was sold although at least MIN_EXPECTED_UNITS were expected, of the series or its store.

    The store was closed, or its sales are missing: such a zero says nothing about demand.
    """
    if not (sales == 0).any():
        return np.zeros(sales.shape, bool)
    stores, group = np.unique(store, return_inverse=True)
    store_sales, store_expected = (np.stack([np.bincount(group, day, len(stores)) for day in values.T], axis=1)[group]
                                   for values in (sales, expected))
    return ((sales == 0) & (expected >= MIN_EXPECTED_UNITS)) | ((store_sales == 0) & (store_expected >= MIN_EXPECTED_UNITS))


def expected_errors(forecast: np.ndarray, sd: np.ndarray) -> dict[str, float]:
    """mae and rmse (units) and mape (%) if every error were one standard deviation; times `error_per_sd`, the expected errors."""
    if not len(sd):
        return dict.fromkeys(("mae", "rmse", "mape"), 0.0)
    share = sd / np.maximum(forecast, 1)
    return {"mae": float(sd.mean()), "rmse": float(np.sqrt((sd**2).mean())), "mape": float(100 * share.mean())}
