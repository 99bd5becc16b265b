"""The design matrix: one row per series, origin and horizon, the same for training, backtest, batch forecast and API.

Sales enter as ratios to what the factor model makes of the same days, and to the level at the origin, so that series of any
size and season share one set of trees. Only sales up to the origin are read: where a feature is aligned with the target day,
it steps back from there in whole weeks, or by a year, until it meets known days.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from demand.model.base.factors import bounded
from demand.panel.calendar import calendar
from demand.panel.lag_features import LAGS, STATE, WINDOWS
from demand.panel.panel import Panel
from demand.panel.running_sums import between, ratio_of_sums, running_sums, strided_sums

PHASES = ((7, 1), (7, 4), (7, 8), (7, 26), (14, 1), (14, 3), (14, 6))  # every so many days back, mean of so many of them
YEARS = (364, 728)  # days back, in whole weeks
CALENDAR_USED = ("dayofweek", "day", "month", "dayofyear", "days_from_easter")
EFFECT_DAYS = 182  # over which a series' own response to a known-future column is measured
FLOOR = 0.02  # of the level: smaller ratios are taken as this, so that their log exists


class Design:
    """Everything about one panel that rows of the matrix are cut from; nothing in it depends on an origin.

    Args:
        panel: with state.
        shape: (S, D) weekday x month of every series and day, from structural.Factors.
    """

    def __init__(self, panel: Panel, shape: np.ndarray) -> None:
        if panel.state is None:
            raise ValueError("the panel has no state: features.with_state makes it")
        self.panel, self.shape = panel, shape
        self.mask = panel.trading
        self.sold = np.where(self.mask, panel.sales, 0).astype("f4")
        self.due = np.where(self.mask, shape, 0).astype("f4")
        self.days = shape.shape[1]
        self.facts = calendar(panel.dates)

    @cached_property
    def running(self) -> tuple[np.ndarray, np.ndarray]:
        """(S, D + 1) running sums of sales and of the shape over the trading days before each day."""
        return running_sums(self.sold), running_sums(self.due)

    @cached_property
    def strided(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Running sums in steps of 7 and of 14 days: position d adds up days d, d - 7, d - 14 ..."""
        return {step: (strided_sums(self.sold, step), strided_sums(self.due, step)) for step in {step for step, _ in PHASES}}

    @cached_property
    def responses(self) -> list[tuple[np.ndarray, ...]]:
        """For each known-future column: running sums of the sales and the shape on days above 0, and on days at 0."""
        parts = []
        for k in range(len(self.panel.known_names)):
            on = self.panel.known[:, :, k] > 0
            parts.append(tuple(running_sums(np.where(days, values, 0)) for days in (on, ~on) for values in (self.sold, self.due)))
        return parts

    @cached_property
    def running_known(self) -> np.ndarray:
        """(K, S, D + 1) running sums of the known-future columns."""
        return np.stack([running_sums(bounded(self.panel.known[:, :, k])) for k in range(len(self.panel.known_names))])

    def window(self, series: np.ndarray, end: np.ndarray, width: int, known: np.ndarray) -> np.ndarray:
        """Level over the `width` days before position `end`: sales per unit of shape; NaN without trading days.

        Days from position `known` on are not looked at.
        """
        return ratio_of_sums(*between(series, end - width, np.minimum(end, known), *self.running), otherwise=np.nan)

    def sums(self, start: int, stop: int) -> list[np.ndarray]:
        """(S,) sales, and sum of the shape, over the trading days from position `start` to before `stop`."""
        return between(slice(None), start, stop, *self.running)

    def phase(self, series: np.ndarray, target: np.ndarray, origin: np.ndarray, step: int, n: int) -> np.ndarray:
        """Level on the last `n` known days that are whole steps before the target."""
        last = target - step * np.maximum(-(-(target - origin) // step), 1)
        sums = []
        for total in self.strided[step]:
            before = last - step * n
            sums.append(np.where(last >= 0, total[series, np.maximum(last, 0)], 0)
                        - np.where(before >= 0, total[series, np.maximum(before, 0)], 0))
        return ratio_of_sums(*sums, otherwise=np.nan)

    def matrix(self, series: np.ndarray, origin: np.ndarray, horizon: np.ndarray, level: np.ndarray) -> np.ndarray:
        """(N, F) float32, NaN where something is not known; never infinite (`log_ratio`).

        Args:
            series, origin: (N,) positions on the panel's axes.
            horizon: (N,) days from the origin to the target.
            level: (N,) units per day: what the ratios are relative to.
        """
        target, known = origin + horizon, origin + 1
        columns: list[np.ndarray] = [horizon, *(self.facts[name][target] for name in CALENDAR_USED)]

        def add(values: np.ndarray, relative_to: np.ndarray) -> None:
            columns.append(log_ratio(values, relative_to))

        state = self.panel.state[series, np.minimum(origin + 1, self.days - 1)]  # type: ignore[index]
        for f, lag in enumerate(LAGS):
            day = np.maximum(origin + 1 - lag, 0)
            add(ratio_of_sums(state[:, f], self.shape[series, day], otherwise=np.nan), level)
        for f, width in enumerate(WINDOWS, start=len(LAGS)):
            add(ratio_of_sums(state[:, f], self.mean_shape(series, origin + 1, width), otherwise=np.nan), level)
        for step, n in PHASES:
            add(self.phase(series, target, origin, step, n), level)
        for lag in YEARS:
            then = target - lag
            past = self.window(series, origin + 1 - lag, 56, known)
            add(self.window(series, then + 1, 1, known), past)
            add(self.window(series, then + 4, 7, known), past)
            add(self.window(series, then + 14, 28, known), self.window(series, origin + 1 - lag + 91, 182, known))
            add(level, past)
        columns += self.known_columns(series, origin, target, level)
        return np.stack(columns, axis=1).astype("f4")

    def mean_shape(self, series: np.ndarray, end: np.ndarray, width: int) -> np.ndarray:
        """Mean of the shape over the trading days among the `width` before `end`: what a rolling mean of sales is due."""
        return ratio_of_sums(*between(series, end - width, end, self.running[1], self.count), otherwise=np.nan)

    @cached_property
    def count(self) -> np.ndarray:
        """(S, D + 1) trading days before each day."""
        return running_sums(self.mask)

    def known_columns(self, series: np.ndarray, origin: np.ndarray, target: np.ndarray, level: np.ndarray) -> list[np.ndarray]:
        """The known-future columns on and around the target day, and how the series responded to each so far."""
        columns: list[np.ndarray] = []
        for k in range(len(self.panel.known_names)):
            value, total = self.panel.known[:, :, k], self.running_known[k]
            columns += [
                value[series, target],
                value[series, np.maximum(target - 1, 0)],
                np.where(target + 1 < self.days, value[series, np.minimum(target + 1, self.days - 1)], np.nan),
                *between(series, target - 7, target, total),
                np.where(target + 8 <= self.days, between(series, target + 1, target + 8, total)[0], np.nan),
            ]
            on_sold, on_due, off_sold, off_due = self.responses[k]
            for sums in ((on_sold, on_due), (off_sold, off_due)):
                response = ratio_of_sums(*between(series, origin + 1 - EFFECT_DAYS, origin + 1, *sums), otherwise=np.nan)
                columns.append(log_ratio(response, level))
        return columns


def feature_names(known: tuple[str, ...]) -> list[str]:
    """One per column of the matrix, for panels with these known-future columns."""
    names = ["horizon", *CALENDAR_USED, *STATE]
    names += [f"every_{step}_mean_{n}" for step, n in PHASES]
    names += [f"{what}_{lag}" for lag in YEARS for what in ("day_before", "week_before", "month_before", "level_before")]
    for name in known:
        names += [name] + [f"{name}_{when}" for when in ("yesterday", "tomorrow", "week_before", "week_after", "on", "off")]
    return names


def log_ratio(values: np.ndarray, relative_to: np.ndarray) -> np.ndarray:
    """log(values / relative_to), at least log(FLOOR); NaN, which is unknown, where `relative_to` is 0 or unknown itself."""
    return np.log(np.maximum(ratio_of_sums(values, relative_to, otherwise=np.nan), FLOOR))
