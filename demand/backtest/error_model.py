"""How far off a method usually is: the part of a champion's baseline that the drift stage judges by.

The expected spread of a segment's deviation has two parts: sampling error, which follows from the intervals and shrinks with
sales and days, and what the method was off by beyond it in its backtest. Season and horizon enter through the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from demand.backtest.folds import Fold
from demand.backtest.residuals import Residuals, expected_errors, residuals_of
from demand.backtest.scores import errors
from demand.backtest.segments import Deviations, deviations_by_kind, windows
from demand.panel.panel import Panel


class ErrorPerSd(BaseModel):
    """Errors of the backtest beside those that the intervals let expect (`expected_errors`); 1 where nothing was sold to tell."""

    model_config = ConfigDict(frozen=True)

    mae: float = Field(gt=0)
    rmse: float = Field(gt=0)
    mape: float = Field(gt=0)


class Spread(BaseModel):
    """Standard deviation beyond sampling error of what segments of one kind are off by, in logs."""

    model_config = ConfigDict(frozen=True)

    level: float = Field(ge=0, description="of sales / forecast")
    error: float = Field(ge=0, description="of the mean absolute error")


class ErrorModel(BaseModel):
    """What the backtest says is normal for a method: the part of a champion's baseline that the drift stage judges by."""

    model_config = ConfigDict(frozen=True)

    error_per_sd: ErrorPerSd
    spread: dict[int, dict[str, Spread]] = Field(description="by days of the window, then by kind of segment")


def read_error_model(baseline: Mapping[str, Any]) -> ErrorModel | None:
    """That of a champion's baseline; None for a champion that was promoted unscored."""
    normal = baseline.get("normal") or [None]
    return None if normal[0] is None else ErrorModel.model_validate(normal[0])


def estimate_error_model(folds: Sequence[Fold], panel: Panel) -> ErrorModel:
    """The error model of a method from the folds of its backtest."""
    seen = [residuals_of(panel, fold.history, fold.forecast) for fold in folds]
    known = [~np.isnan(one.sales) for one in seen]
    sales, forecast, sd = (np.concatenate([getattr(one, name)[use] for one, use in zip(seen, known, strict=True)])
                           for name in ("sales", "forecast", "sd"))
    was = errors(sales, forecast)
    beside = {name: was.get(name, np.nan) / max(size, 1e-9) for name, size in expected_errors(forecast, sd).items()}
    per_sd = ErrorPerSd(**{name: float(value) if 0 < value < np.inf else 1.0 for name, value in beside.items()})
    spread = {window: spreads_by_kind([one.days(start, start + window) for one in seen
                                       for start in range(0, one.sales.shape[1] - window + 1, window)], per_sd)
              for window in windows(seen[0].sales.shape[1])}
    return ErrorModel(error_per_sd=per_sd, spread=spread)


def spreads_by_kind(seen: Sequence[Residuals], error_per_sd: ErrorPerSd) -> dict[str, Spread]:
    """The spread of each kind: method of moments, segments weighted by their sales."""
    found: dict[str, list[Deviations]] = {}
    for one in seen:
        for kind, deviation in deviations_by_kind(one, error_per_sd.mae, error_per_sd.mape).items():
            found.setdefault(kind, []).append(deviation)
    return {kind: Spread(
        level=spread_beyond_sampling_error([(one.level, one.level_chance, one.due) for one in each]),
        error=spread_beyond_sampling_error([(one.log_error, one.error_chance, one.due) for one in each]))
        for kind, each in found.items()}


def spread_beyond_sampling_error(samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """sqrt of the weighted mean of value² - variance, of (values, variances, weights); 0 where chance explains it all."""
    value, variance, weight = (np.concatenate(column) for column in zip(*samples, strict=True))
    use = np.isfinite(value) & (weight > 0)
    return float(np.sqrt(max(np.average(value[use] ** 2 - variance[use], weights=weight[use]), 0))) if use.any() else 0.0
