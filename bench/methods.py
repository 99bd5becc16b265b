"""Forecasting methods behind one signature: (what was known at the origin, origin, horizon, settings) to a forecast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demand import baselines
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import ABSENT, Panel
from workspace.run.all_params import Params

LAGS = (91, 98, 105, 112, 119, 182, 364)  # days: none shorter than the horizon, so that one step forecasts all of it
ROLLING = (7, 28, 91)  # days, means that end 91 days before
TREES, LEARNING_RATE, LEAVES = 600, 0.05, 63


def this_project(history: Panel, origin: np.datetime64, horizon: int, settings: Params) -> Forecast:
    """The pipeline's own model: state, fit, forecast with intervals."""
    return DemandModel.fit(history, settings.train, horizon).predict(history, origin, horizon)


def mlforecast_lightgbm(history: Panel, origin: np.datetime64, horizon: int, settings: Params) -> Forecast:
    """Nixtla's mlforecast with LightGBM: lags and rolling means from 91 days on, calendar, ids, known-future columns."""
    import pandas as pd
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean

    end = history.column(origin) + 1
    series, day = np.nonzero(history.status[:, :end] != ABSENT)
    codes = {name: np.unique(getattr(history, name), return_inverse=True)[1] for name in ("store", "item")}
    ids = {name: code[series] for name, code in codes.items()}
    past = pd.DataFrame({"unique_id": series, "ds": history.dates[day], "y": history.sales[series, day], "series": series, **ids})
    future = pd.DataFrame({"unique_id": np.repeat(np.arange(history.n_series), horizon),
                           "ds": np.tile(origin + 1 + np.arange(horizon), history.n_series)})
    for k, name in enumerate(history.known_names):
        past[name] = history.known[series, day, k]
        future[name] = history.known[:, end:end + horizon, k].ravel()
    model = LGBMRegressor(n_estimators=TREES, learning_rate=LEARNING_RATE, num_leaves=LEAVES, subsample=0.8, subsample_freq=1,
                          colsample_bytree=0.8, random_state=settings.train.seed, verbose=-1)
    forecaster = MLForecast({"sales": model}, freq="D", lags=LAGS,
                            lag_transforms={LAGS[0]: [RollingMean(days) for days in ROLLING]},
                            date_features=["dayofweek", "month", "dayofyear", "day", "year"], num_threads=2)
    forecaster.fit(past, static_features=["series", *ids], dropna=False)
    made = forecaster.predict(horizon, X_df=future if history.known_names else None)
    point = made.sort_values(["unique_id", "ds"])["sales"].to_numpy().reshape(history.n_series, horizon)
    return Forecast(origin, np.maximum(point, 0), {}, {})


def seasonal_naive(history: Panel, origin: np.datetime64, horizon: int, settings: Params) -> Forecast:  # noqa: ARG001
    return Forecast(origin, baselines.seasonal_naive(history, origin, horizon), {}, {})


def factor_model(history: Panel, origin: np.datetime64, horizon: int, settings: Params) -> Forecast:  # noqa: ARG001
    return Forecast(origin, baselines.factor_model(history, origin, horizon), {}, {})


METHODS: dict[str, Callable[[Panel, np.datetime64, int, Params], Forecast]] = {
    "seasonal naive (364 days)": seasonal_naive,
    "factor model": factor_model,
    "mlforecast + LightGBM": mlforecast_lightgbm,
    "this project": this_project,
}
