"""The error model of a method, estimated from the folds of its backtest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.backtest.error_model import ErrorModel, ErrorPerSd, Spread
from demand.backtest.folds import Fold
from demand.backtest.residuals import Residuals, expected_errors, residuals_of
from demand.backtest.scores import errors
from demand.backtest.segments import Deviations, deviations_by_kind, windows
from demand.panel.panel import Panel


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
