"""The seven methods that this project is judged beside. All see one task: sales up to the origin, and the planned columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bench.field.tasks import HORIZON, Task

YEAR, WEEK, WEEKS = 364, 7, 8  # days, days, weeks of the weekday mean
LAGS, ROLLING = (1, 7, 14, 21, 28, 364), (7, 28, 91)  # days
TREES, LEARNING_RATE, LEAVES = 200, 0.05, 31
SMOOTHING = 0.1  # of TSB, for sizes and for the chance of a sale
FEWEST_DAYS = 3 * WEEK  # of a series that statsforecast fits; shorter ones get their weekday mean


def seasonal_naive(task: Task) -> np.ndarray:
    """The sales of the day 52 weeks before; where the series has none, of the last same weekday."""
    past = without_gaps(task)
    ahead, days = np.arange(1, HORIZON + 1), past.shape[1]
    year, week = (days - 1 + ahead - season * -(-ahead // season) for season in (YEAR, WEEK))
    last_year = np.where(year >= 0, past[:, np.maximum(year, 0)], np.nan)
    last_week = np.where(week >= 0, past[:, np.maximum(week, 0)], np.nan)
    return or_mean(np.where(np.isnan(last_year), last_week, last_year), past)


def weekday_mean(task: Task) -> np.ndarray:
    """The mean of the last eight same weekdays, of fewer where the series is younger."""
    past = without_gaps(task)
    last = past.shape[1] - 1 + np.arange(1, HORIZON + 1) - WEEK * -(-np.arange(1, HORIZON + 1) // WEEK)
    back = last[:, None] - WEEK * np.arange(WEEKS)
    sales = np.where(back >= 0, past[:, np.maximum(back, 0)], np.nan)
    known = ~np.isnan(sales)
    count = known.sum(axis=2)
    mean = np.where(known, sales, 0).sum(axis=2) / np.maximum(count, 1)
    return or_mean(np.where(count > 0, mean, np.nan), past)


def statistical(task: Task) -> dict[str, np.ndarray]:
    """TSB, AutoETS and the standard Theta method of statsforecast, one series at a time."""
    from statsforecast import StatsForecast
    from statsforecast.models import TSB, AutoETS, SeasonalNaive, Theta

    fallback = weekday_mean(task)
    frame = long_frame(task)
    days = frame.groupby("unique_id")["ds"].transform("size")
    frame = frame[days >= FEWEST_DAYS]
    answers = {name: fallback.copy() for name in ("TSB", "ETS", "Theta")}
    if len(frame):
        models = [TSB(SMOOTHING, SMOOTHING, alias="TSB"), AutoETS(season_length=WEEK, alias="ETS"),
                  Theta(season_length=WEEK, alias="Theta")]
        forecasts = StatsForecast(models, freq="D", n_jobs=1, fallback_model=SeasonalNaive(WEEK)).forecast(
            HORIZON, df=frame[["unique_id", "ds", "y"]])
        for name, values in answers.items():
            made = by_series(forecasts, name)
            for series, row in made.items():
                values[series] = np.where(np.isfinite(row), row, fallback[series])
    return answers


def lightgbm_recursive(task: Task) -> np.ndarray:
    """mlforecast and LightGBM, Tweedie loss: one model for the next day, fed with its own forecasts."""
    return lightgbm(task, None)


def lightgbm_direct(task: Task) -> np.ndarray:
    """mlforecast and LightGBM, Tweedie loss: one model for each day ahead."""
    return lightgbm(task, HORIZON)


def lightgbm(task: Task, max_horizon: int | None) -> np.ndarray:
    """One booster over all series, on lags, rolling means, the calendar, ids and the planned columns."""
    from lightgbm import LGBMRegressor
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean

    frame = long_frame(task)
    lags = [lag for lag in LAGS if lag < len(task.dates) // 2]
    model = LGBMRegressor(objective="tweedie", n_estimators=TREES, learning_rate=LEARNING_RATE, num_leaves=LEAVES, subsample=0.8,
                          subsample_freq=1, colsample_bytree=0.8, random_state=0, deterministic=True, verbose=-1)
    means: list[Any] = [RollingMean(days, min_samples=1) for days in ROLLING]
    forecaster = MLForecast({"sales": model}, freq="D", lags=lags, lag_transforms={1: means},
                            date_features=["dayofweek", "month", "dayofyear", "day"], num_threads=1)
    future = future_frame(task)
    forecaster.fit(frame, static_features=["series", "store", "item"], dropna=False, max_horizon=max_horizon)
    made = by_series(forecaster.predict(HORIZON, X_df=future if task.planned_names else None), "sales")
    return np.array([made[series] for series in range(len(task.store))])


def long_frame(task: Task) -> pd.DataFrame:
    """One row per series and day from its first row on, for Nixtla's packages: unique_id (a number), ds, y, ids, planned."""
    past = without_gaps(task)
    series, day = np.nonzero(~np.isnan(past))
    codes = {name: np.unique(getattr(task, name).astype(str), return_inverse=True)[1] for name in ("store", "item")}
    columns: dict[str, Any] = {"unique_id": series, "ds": task.dates[day], "y": past[series, day], "series": series}
    columns |= {name: code[series] for name, code in codes.items()}
    columns |= {name: task.planned[series, day, k] for k, name in enumerate(task.planned_names)}
    return pd.DataFrame(columns)


def future_frame(task: Task) -> pd.DataFrame:
    """The planned columns of the days to forecast."""
    n, days = len(task.store), len(task.dates)
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(n), HORIZON), "ds": np.tile(task.origin + 1 + np.arange(HORIZON), n)})
    return frame.assign(**{name: task.planned[:, days:, k].ravel() for k, name in enumerate(task.planned_names)})


def by_series(forecasts: pd.DataFrame, column: str) -> dict[int, np.ndarray]:
    """(HORIZON,) values of each series' number."""
    ordered = forecasts.sort_values(["unique_id", "ds"])
    return {int(series): part[column].to_numpy("f8") for series, part in ordered.groupby("unique_id")}


def without_gaps(task: Task) -> np.ndarray:
    """(S, D) sales in which a row without a value takes that of the week before, or 0; NaN before the first row only."""
    past = task.sales.copy()
    begun = np.arange(past.shape[1]) >= task.row.argmax(axis=1)[:, None]
    for day in range(past.shape[1]):
        gap = begun[:, day] & np.isnan(past[:, day])
        before = past[:, day - WEEK] if day >= WEEK else np.zeros(len(past), past.dtype)
        past[gap, day] = np.nan_to_num(before)[gap]
    return past


def or_mean(forecast: np.ndarray, past: np.ndarray) -> np.ndarray:
    """The forecast (S, H), where it is NaN the mean of the series' last 28 days."""
    recent = past[:, -28:]
    known = ~np.isnan(recent)
    mean = np.where(known, recent, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(np.isnan(forecast), mean[:, None], forecast)


def alone(name: str, method: Callable[[Task], np.ndarray]) -> Callable[[Task], dict[str, np.ndarray]]:
    """A method as one that names its answer."""
    return lambda task: {name: method(task)}


PEERS: tuple[Callable[[Task], dict[str, np.ndarray]], ...] = (
    alone("seasonal naive", seasonal_naive),
    alone("weekday mean", weekday_mean),
    statistical,
    alone("LightGBM recursive", lightgbm_recursive),
    alone("LightGBM direct", lightgbm_direct),
)


def peer_forecasts(task: Task) -> dict[str, np.ndarray]:
    """(S, HORIZON) units per day, not negative, of every peer."""
    answers: dict[str, np.ndarray] = {}
    for peer in PEERS:
        answers |= {name: np.maximum(values, 0) for name, values in peer(task).items()}
    return answers
