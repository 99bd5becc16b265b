"""The design matrix: one row per series, origin and horizon, the same for training, backtest, batch forecast and API.

Sales enter as ratios to what the factor model makes of the same days, and to the level at the origin, so that series of any
size and season share one set of trees. Only sales up to the origin are read: where a feature is aligned with the target day,
it steps back from there in whole weeks, or by a year, until it meets known days.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from demand.model.base.factors import bounded
from demand.model.base.seasonal_sums import SeasonalSums
from demand.panel.calendar import calendar
from demand.panel.lag_features import LAGS, STATE, WINDOWS
from demand.panel.running_sums import between, ratio_of_sums, running_sums, strided_sums

PHASES = ((7, 1), (7, 4), (7, 8), (7, 26), (14, 1), (14, 3), (14, 6))  # every so many days back, mean of so many of them
YEARS = (364, 728)  # days back, in whole weeks
CALENDAR_USED = ("dayofweek", "day", "month", "dayofyear", "days_from_easter")
EFFECT_DAYS = 182  # over which a series' own response to a known-future column is measured
FLOOR = 0.02  # of the level: smaller ratios are taken as this, so that their log exists


class DesignMatrix:
    """What rows of the matrix are cut from; nothing in it depends on an origin."""

    def __init__(self, sums: SeasonalSums) -> None:
        self.sums, self.panel, self.days = sums, sums.panel, sums.days
        self.calendar = calendar(sums.panel.dates)

    @cached_property
    def strided(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Running sums in steps of 7 and of 14 days: position d adds up days d, d - 7, d - 14 ..."""
        steps, sums = {step for step, _ in PHASES}, self.sums
        return {step: (strided_sums(sums.sales, step), strided_sums(sums.expected, step)) for step in steps}

    @cached_property
    def responses(self) -> list[tuple[np.ndarray, ...]]:
        """For each known-future column: running sums of the sales and the seasonal factor on days above 0, and on days at 0."""
        parts, sums = [], self.sums
        for k in range(len(self.panel.known_names)):
            on = self.panel.known[:, :, k] > 0
            both = ((days, values) for days in (on, ~on) for values in (sums.sales, sums.expected))
            parts.append(tuple(running_sums(np.where(days, values, 0)) for days, values in both))
        return parts

    @cached_property
    def running_known(self) -> np.ndarray:
        """(K, S, D + 1) running sums of the known-future columns."""
        return np.stack([running_sums(bounded(self.panel.known[:, :, k])) for k in range(len(self.panel.known_names))])

    def phase(self, series: np.ndarray, target: np.ndarray, origin: np.ndarray, step: int, n: int) -> np.ndarray:
        """Level on the last `n` known days that are whole steps before the target."""
        last = target - step * np.maximum(-(-(target - origin) // step), 1)
        sums = []
        for total in self.strided[step]:
            before = last - step * n
            sums.append(np.where(last >= 0, total[series, np.maximum(last, 0)], 0)
                        - np.where(before >= 0, total[series, np.maximum(before, 0)], 0))
        return ratio_of_sums(*sums, otherwise=np.nan)

    def rows(self, series: np.ndarray, origin: np.ndarray, horizon: np.ndarray, level: np.ndarray) -> np.ndarray:
        """(N, F) float32, NaN where something is not known; never infinite (`log_ratio`).

        Args:
            series, origin: (N,) positions on the panel's axes.
            horizon: (N,) days from the origin to the target.
            level: (N,) units per day: what the ratios are relative to.
        """
        target, known, level_before = origin + horizon, origin + 1, self.sums.level_before
        columns: list[np.ndarray] = [horizon, *(self.calendar[name][target] for name in CALENDAR_USED)]

        def add(values: np.ndarray, relative_to: np.ndarray) -> None:
            columns.append(log_ratio(values, relative_to))

        for lag in LAGS:
            day = np.maximum(known - lag, 0)
            sales = np.where(known >= lag, self.panel.sales[series, day], np.float32(np.nan))
            add(ratio_of_sums(sales, self.sums.seasonal_factor[series, day], otherwise=np.nan), level)
        for width in WINDOWS:
            mean, expected = self.rolling_means(series, known, width)
            add(ratio_of_sums(mean.astype("f4"), expected, otherwise=np.nan), level)
        for step, n in PHASES:
            add(self.phase(series, target, origin, step, n), level)
        for lag in YEARS:
            then = target - lag
            past = level_before(series, origin + 1 - lag, 56, known)
            add(level_before(series, then + 1, 1, known), past)
            add(level_before(series, then + 4, 7, known), past)
            add(level_before(series, then + 14, 28, known), level_before(series, origin + 1 - lag + 91, 182, known))
            add(level, past)
        columns += self.known_columns(series, origin, target, level)
        return np.stack(columns, axis=1).astype("f4")

    def rolling_means(self, series: np.ndarray, end: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Means of sales and of the seasonal factor over the trading days among the `width` before `end`; NaN without any."""
        sales, expected, count = between(series, end - width, end, *self.sums.running, self.count)
        return ratio_of_sums(sales, count, otherwise=np.nan), ratio_of_sums(expected, count, otherwise=np.nan)

    @cached_property
    def count(self) -> np.ndarray:
        """(S, D + 1) trading days before each day."""
        return running_sums(self.sums.trading)

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


def feature_groups(known: tuple[str, ...]) -> list[str]:
    """What each column of the matrix is about, in the order of feature_names: the same word for columns of one subject."""
    counts = {"horizon": 1, "calendar": len(CALENDAR_USED), "recent_sales": len(STATE) + len(PHASES),
              "past_years": 4 * len(YEARS), **{f"covariate:{name}": 7 for name in known}}
    return [group for group, count in counts.items() for _ in range(count)]


def log_ratio(values: np.ndarray, relative_to: np.ndarray) -> np.ndarray:
    """log(values / relative_to), at least log(FLOOR); NaN, which is unknown, where `relative_to` is 0 or unknown itself."""
    return np.log(np.maximum(ratio_of_sums(values, relative_to, otherwise=np.nan), FLOOR))
