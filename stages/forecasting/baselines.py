"""What a model has to beat: forecasts that need no training, or next to none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stages.forecasting import base, structural
from stages.forecasting.closures import chance_of_closing
from stages.forecasting.design import Design
from stages.forecasting.extremes import without_extremes
from stages.forecasting.panel import Panel

WEEK, YEAR = 7, 364  # days; 364 is a year in whole weeks
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
    factors = structural.fit(past)
    design = Design(past, factors.shape(past))
    o, days = past.column(origin), np.arange(1, horizon + 1)
    at = base.level("structural", factors, design, o)
    demand = at.level[:, None] * design.shape[:, o + days] * at.multiple(days)
    return np.where(chance_of_closing(past, o, horizon) < 0.5, demand, 0)


BASELINES: dict[str, Callable[[Panel, np.datetime64, int], np.ndarray]] = {
    "seasonal_naive": seasonal_naive, "factor_model": factor_model}
