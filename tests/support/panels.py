"""Small panels whose truth is known, for the tests of the forecasting functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.model.trees.train_params import TrainParams
from demand.panel.panel import CLOSED, OBSERVED, Panel

TRAIN = TrainParams(algorithm="xgboost", base="auto", max_depth=4, n_estimators=40, learning_rate=0.2, rows=4000, seed=0)
WEEKDAY = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 0.9])


def panel(sales: np.ndarray, start: str = "2020-01-06", known: dict[str, np.ndarray] | None = None) -> Panel:
    """A panel of observed sales (S, D); series 0 is store 1, item 1; series 1 is store 1, item 2 ..., five items a store."""
    sales = sales.astype("f4")
    number = np.arange(len(sales))
    columns = known or {}
    return Panel(
        store=number // 5 + 1, item=number % 5 + 1, dates=np.datetime64(start) + np.arange(sales.shape[1]), sales=sales,
        recorded=sales.copy(), status=np.full(sales.shape, OBSERVED, "u1"),
        known=np.stack([*columns.values()], axis=2).astype("f4") if columns else np.empty((*sales.shape, 0), "f4"),
        known_names=tuple(columns),
    )


def shaped(series: int = 10, days: int = 900, growth: float = 0.0, start: str = "2020-01-06", seed: int = 0) -> np.ndarray:
    """(S, D) means: level of each series x WEEKDAY x a wave over the months x growth per year."""
    dates = np.datetime64(start) + np.arange(days)
    level = np.random.default_rng(seed).uniform(20, 80, (series, 1))
    month = 1 + 0.3 * np.sin(2 * np.pi * np.arange(12) / 12)
    season = month[dates.astype("M8[M]").astype(int) % 12]
    return level * WEEKDAY[np.arange(days) % 7] * season * np.exp(growth * np.arange(days) / 365.25)


def noisy(mean: np.ndarray, seed: int = 0) -> np.ndarray:
    """Poisson counts around the means."""
    return np.random.default_rng(seed).poisson(mean).astype("f4")


def closed(panel: Panel, days: np.ndarray) -> Panel:
    """The panel with these days (D,) bool closed in every series."""
    status, sales, recorded = panel.status.copy(), panel.sales.copy(), panel.recorded.copy()
    status[:, days], sales[:, days], recorded[:, days] = CLOSED, 0, 0
    return replace(panel, status=status, sales=sales, recorded=recorded)


def ready(panel: Panel, days: int = 90) -> Panel:
    """With a time axis `days` past the end, and state."""
    return panel.extended(days)
