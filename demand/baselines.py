"""What a model has to beat: forecasts that need no training, or next to none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demand.model.base.base_forecast import BaseForecast
from demand.model.base.closing_probability import chance_of_closing
from demand.model.base.extremes import without_extremes
from demand.model.base.factors import fit_factors
from demand.panel.calendar import YEAR
from demand.panel.panel import Panel

WEEK = 7  # days
RECENT = 28  # days whose mean stands in for a weekday that a young series has not seen


def seasonal_naive(panel: Panel, origin: np.datetime64, horizon: int) -> np.ndarray:
    """(S, H): the sales of the day 52 weeks before; where the series has none, of the last same weekday (fpp3, section 5.2)."""
    past = panel.sales[:, : panel.column(origin) + 1]
    forecast = np.full((len(past), horizon), np.nan, "f4")
    target = past.shape[1] + np.arange(horizon)
    for season in (YEAR, WEEK):
        source = target - season * -(-(np.arange(horizon) + 1) // season)
        inside = source >= 0
        seen = past[:, source[inside]]
        forecast[:, inside] = np.where(np.isnan(forecast[:, inside]), seen, forecast[:, inside])
    recent = past[:, -RECENT:]
    known = ~np.isnan(recent)
    mean = np.where(known, recent, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(np.isnan(forecast), mean[:, None], forecast)


def factor_model(panel: Panel, origin: np.datetime64, horizon: int) -> np.ndarray:
    """(S, H): level x weekday x month x damped growth, 0 on days that are more likely closed than not."""
    past = without_extremes(panel.through(origin).extended(horizon), panel.column(origin))
    base = BaseForecast(fit_factors(past), {"structural": 1.0})
    sums, o = base.sums(past), past.column(origin)
    demand = base.units(sums, base.at(sums, o), o, np.arange(1, horizon + 1))
    return np.where(chance_of_closing(past, o, horizon) < 0.5, demand, 0)


BASELINES: dict[str, Callable[[Panel, np.datetime64, int], np.ndarray]] = {
    "seasonal_naive": seasonal_naive, "factor_model": factor_model}
