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
    residuals = [residuals_of(panel, fold.history, fold.forecast) for fold in folds]
    known = [~np.isnan(each.sales) for each in residuals]
    sales, forecast, sd = (np.concatenate([getattr(each, name)[use] for each, use in zip(residuals, known, strict=True)])
                           for name in ("sales", "forecast", "sd"))
    actual = errors(sales, forecast)
    ratios = {name: actual.get(name, np.nan) / max(size, 1e-9) for name, size in expected_errors(forecast, sd).items()}
    error_per_sd = ErrorPerSd(**{name: float(ratio) if 0 < ratio < np.inf else 1.0 for name, ratio in ratios.items()})
    spread = {window: spreads_by_kind([each.days(start, start + window) for each in residuals
                                       for start in range(0, each.sales.shape[1] - window + 1, window)], error_per_sd)
              for window in windows(residuals[0].sales.shape[1])}
    return ErrorModel(error_per_sd=error_per_sd, spread=spread)


def spreads_by_kind(residuals: Sequence[Residuals], error_per_sd: ErrorPerSd) -> dict[str, Spread]:
    """The spread of each kind of segment by the method of moments; segments weigh by their expected sales."""
    by_kind: dict[str, list[Deviations]] = {}
    for each in residuals:
        for kind, deviations in deviations_by_kind(each, error_per_sd.mae, error_per_sd.mape).items():
            by_kind.setdefault(kind, []).append(deviations)
    return {kind: Spread(
        level=spread_beyond_sampling_error([(each.level, each.level_variance, each.expected) for each in samples]),
        error=spread_beyond_sampling_error([(each.log_error, each.error_variance, each.expected) for each in samples]))
        for kind, samples in by_kind.items()}


def spread_beyond_sampling_error(samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """sqrt of the weighted mean of value² - variance, of (values, variances, weights); 0 where sampling error explains it all."""
    value, variance, weight = (np.concatenate(column) for column in zip(*samples, strict=True))
    use = np.isfinite(value) & (weight > 0)
    return float(np.sqrt(max(np.average(value[use] ** 2 - variance[use], weights=weight[use]), 0))) if use.any() else 0.0
