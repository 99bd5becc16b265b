"""Every error measure, in one place.

All take arrays of one shape: what was sold (NaN where unknown: such days are left out) and what was forecast, in units per day.
Definitions follow Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), section 5.8 and 5.9.
"""

from __future__ import annotations

import numpy as np

SEASON = 7  # days, of the naive forecast in MASE's denominator
TOTAL = 28  # days that are added up before they are compared: what stock is bought for


def errors(actual: np.ndarray, forecast: np.ndarray) -> dict[str, float]:
    """Point errors over all days with known sales.

    Returns:
        mae, rmse (units), mape (%; days without sales left out and counted in `mape_zeros`), smape (%, of 200; a day on which
        both are 0 counts as 0), wape (%), bias (%: positive when too much was forecast), n (days).
    """
    known = ~np.isnan(actual)
    y, f = actual[known].astype("f8"), forecast[known].astype("f8")
    if not len(y):
        return {"n": 0}
    error = f - y
    size, both = np.abs(error), np.abs(y) + np.abs(f)
    sold = y > 0
    total = max(float(y.sum()), float(np.finfo("f8").tiny))
    return {
        "mae": float(size.mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "mape": float(100 * (size[sold] / y[sold]).mean()) if sold.any() else float("nan"),
        "smape": float(200 * np.divide(size, both, out=np.zeros_like(size), where=both > 0).mean()),
        "wape": 100 * float(size.sum()) / total,
        "bias": 100 * float(error.sum()) / total,
        "mape_zeros": int((~sold).sum()),
        "n": len(y),
    }


def totals(actual: np.ndarray, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both (S, H) added up over each TOTAL days of the horizon, or over all of a shorter one, as far as sales are known.

    Days that are left over at the end do not count, nor do totals of days without known sales.
    """
    known = ~np.isnan(actual)
    starts = range(0, max(actual.shape[1] - TOTAL + 1, 1), TOTAL)
    days = [np.where(known, values, 0).astype("f8") for values in (actual, forecast)]
    sold, made = (np.stack([values[:, s:s + TOTAL].sum(axis=1) for s in starts]) for values in days)
    told = np.stack([known[:, s:s + TOTAL].any(axis=1) for s in starts])
    return sold[told], made[told]


def wape_of_totals(actual: np.ndarray, forecast: np.ndarray) -> float:
    """WAPE of `totals`, %."""
    sold, made = totals(actual, forecast)
    return 100 * float(np.abs(made - sold).sum()) / max(float(sold.sum()), float(np.finfo("f8").tiny))


def mase(actual: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> float:
    """Mean absolute scaled error, (S, H) arrays; `scale` (S,) is `naive_scale` of each series' history."""
    usable = (scale > 0) & np.isfinite(scale) & ~np.isnan(actual).all(axis=1)
    return float(np.nanmean(np.abs(forecast[usable] - actual[usable]) / scale[usable, None])) if usable.any() else float("nan")


def naive_scale(history: np.ndarray) -> np.ndarray:
    """Mean absolute error of the seasonal naive (7 days) within the history: (S, D) with NaN where unknown, to (S,)."""
    steps = np.abs(history[:, SEASON:] - history[:, :-SEASON])
    n = (~np.isnan(steps)).sum(axis=1)
    return np.divide(np.nansum(steps, axis=1), n, out=np.full(len(history), np.nan), where=n > 0)


def pinball(actual: np.ndarray, quantile: np.ndarray, level: float) -> float:
    """Mean pinball loss (units) of a forecast of the quantile `level`, between 0 and 1."""
    error = actual - quantile
    return float(np.nanmean(np.maximum(level * error, (level - 1) * error)))


def coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Share, %, of the days with known sales that lie within [low, high]."""
    known = ~np.isnan(actual)
    inside = (actual >= low) & (actual <= high)
    return float(100 * inside[known].mean()) if known.any() else float("nan")
