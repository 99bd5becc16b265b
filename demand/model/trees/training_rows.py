"""The rows that the trees learn from: a random sample of series, origins and horizons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.model.base.base_forecast import BaseForecast
from demand.model.trees.design_matrix import DesignMatrix
from demand.panel.running_sums import ratio_of_sums

ORIGIN_STEP = 28  # days between the origins that training rows are drawn from
ORIGINS = 26  # of them at most: two years
LEAD = 30  # days before the end of the window that the last one lies
FEWEST = 5000  # rows that are drawn, some of them often, where there are fewer

DIRECT_STEP, DIRECT_ORIGINS, DIRECT_LEAD, DIRECT_NEEDS = 14, 52, 8, 84  # days, the same for the direct member


@dataclass(frozen=True)
class Rows:
    """N training rows: matrix (N, F), base forecast and sales (N,), units per day, and horizon (N,), days."""

    matrix: np.ndarray
    base: np.ndarray
    sales: np.ndarray
    horizon: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Sales beside the base forecast: what the trees learn."""
        return self.sales / self.base

    @property
    def weight(self) -> np.ndarray:
        """A unit sold counts the same in every series."""
        return self.base / self.base.mean()

    @classmethod
    def neutral(cls, features: int) -> Rows:
        """One row that teaches the trees to change nothing, for a window in which nothing was sold."""
        return cls(np.zeros((1, features), "f4"), np.ones(1), np.ones(1, "f4"), np.ones(1, int))


def training_rows(base: BaseForecast, design: DesignMatrix, end: int, horizon: int, rows: int, seed: int) -> Rows:
    """A random sample of (series, origin, horizon) whose target day is not after position `end`.

    The error that all series share at an origin is divided out: how the level goes on is for the base to say, and a few dozen
    origins are too few to learn it from.
    """
    needs, last = base.history_needed, max(end - LEAD, 1)
    origins = np.arange(last, min(needs, last), -ORIGIN_STEP)[:ORIGINS] if last > needs else np.array([last])
    sample = rows_at(base, design, origins, max(min(horizon, end), 1), rows, seed, end=end, neutral=True)
    return sample if len(sample.sales) else Rows.neutral(sample.matrix.shape[1])


def direct_rows(base: BaseForecast, design: DesignMatrix, end: int, horizon: int, rows: int, seed: int) -> Rows:
    """The same for trees that learn everything but the level, the error that series share included: from more origins."""
    last = max(end - DIRECT_LEAD, 1)
    origins = np.arange(last, min(DIRECT_NEEDS, last), -DIRECT_STEP)[:DIRECT_ORIGINS] if last > DIRECT_NEEDS else np.array([last])
    sample = rows_at(base, design, origins, max(min(horizon, end), 1), rows, seed, end=end)
    return sample if len(sample.sales) else Rows.neutral(sample.matrix.shape[1])


def rows_at(base: BaseForecast, design: DesignMatrix, origins: np.ndarray, horizon: int, rows: int, seed: int,
            end: int | None = None, neutral: bool = False) -> Rows:
    """`rows` draws of a series, one of the origins and a horizon, or as many as there are of these.

    Those whose target day has no sales to learn from fall out, and those of an origin after which nothing was sold at all, and of
    series that had sold nothing by then.
    """
    rows = min(rows, max(len(design.sums.sales) * len(origins) * horizon, FEWEST))
    rng = np.random.default_rng(seed)
    sums = design.sums
    levels = [base.at(sums, int(origin)) for origin in origins]
    series, k = rng.integers(0, len(sums.sales), rows), rng.integers(0, len(origins), rows)
    h = rng.integers(1, horizon + 1, rows)
    target = origins[k] + h
    keep = target <= (sums.days - 1 if end is None else end)
    keep[keep] = sums.trading[series[keep], target[keep]]
    level = np.stack([at.level for at in levels])[k, series]
    keep &= level > 0
    series, k, h, target, level = (values[keep] for values in (series, k, h, target, level))
    growth = np.stack([at.growth_factor(np.arange(horizon + 1)) for at in levels])
    forecast = level * sums.seasonal_factor[series, target] * growth[k, h]
    sales = sums.sales[series, target]
    if neutral:
        forecast = forecast * ratio_of_sums(*(np.bincount(k, weights, len(origins)) for weights in (sales, forecast)))[k]
        use = forecast > 0
        series, k, h, level, forecast, sales = (values[use] for values in (series, k, h, level, forecast, sales))
    return Rows(design.rows(series, origins[k], h, level), forecast, sales, h)
