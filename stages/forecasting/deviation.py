"""How far sales came out from a forecast, segment by segment, and how far is normal.

A segment is everything, a store, an item, a series or a weekday. Two things are looked at in each: its level, log(sales /
forecast), and its error, the mean absolute error beside what the forecast's own intervals let expect. Both are held against a
spread of two parts: chance, which follows from the intervals and shrinks with sales and days, and what the same method was off by
beyond chance in its backtest. Season and horizon enter through the intervals: they are wider where sales are harder to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stages.forecasting.backtest import Fold, rows_of
from stages.forecasting.model import Forecast
from stages.forecasting.panel import OBSERVED, Panel
from stages.forecasting.scores import errors

WINDOWS = (28, 14)  # days: whole weeks
EVERYTHING, WEEKDAY = "everything", "weekday"
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
DUE = 20.0  # units that must have been due for no sale at all to be no chance
SD_PER_INTERVAL = 1 / (2 * 1.28155)  # an 80 % interval of a normal distribution is 2.56 standard deviations wide
ABSOLUTE_ERROR_CV2 = np.pi / 2 - 1  # squared coefficient of variation of |error|, for normal errors


@dataclass(frozen=True)
class Outcome:
    """What became of a forecast: S series on H days.

    Attributes:
        store, item: (S,) ids.
        dates: (H,).
        sales: (S, H) units, NaN on days that say nothing about demand (closed, filled, outlier, dark, unknown) or with a forecast
            of 0.
        forecast, sd: (S, H) units; sd is what the 80 % interval makes of the standard deviation.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sales: np.ndarray
    forecast: np.ndarray
    sd: np.ndarray

    def days(self, start: int, end: int) -> Outcome:
        """The days from position `start` to before `end`."""
        cut = slice(start, end)
        return replace(self, dates=self.dates[cut], sales=self.sales[:, cut], forecast=self.forecast[:, cut], sd=self.sd[:, cut])

    def without(self, series: np.ndarray) -> Outcome:
        """Without the sales of some series, (S,) bool."""
        return replace(self, sales=np.where(series[:, None], np.nan, self.sales))


class Names(Sequence[str]):
    """What a planner calls segments, one word and one array of ids (G,) after the other; put together when they are asked for."""

    def __init__(self, **ids: np.ndarray) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(next(iter(self.ids.values())))

    def __getitem__(self, g: Any) -> Any:
        return ", ".join(f"{word} {ids[g]}" for word, ids in self.ids.items())


@dataclass(frozen=True)
class Deviations:
    """G segments of one kind, in sorted order.

    Attributes:
        names: (G,) what a planner calls them.
        due: (G,) units that were forecast.
        level: (G,) log(sales / forecast), less that of everything for segments; NaN where nothing was sold or due.
        level_chance: (G,) variance of it by chance alone.
        error: (G,) mean absolute error, 1 is what the intervals let expect; NaN where nothing was due.
        error_chance: (G,) variance of log error by chance alone.
    """

    names: Sequence[str]
    due: np.ndarray
    level: np.ndarray
    level_chance: np.ndarray
    error: np.ndarray
    error_chance: np.ndarray


def outcome(panel: Panel, shown: Panel, forecast: Forecast) -> Outcome:
    """What the panel knows of the days of a forecast that was made for the series `shown`."""
    start, days = panel.column(forecast.origin) + 1, forecast.point.shape[1]
    days = min(days, len(panel.dates) - start)
    rows, cut = rows_of(panel, shown), slice(start, start + days)
    point = forecast.point[:, :days].astype("f8")
    sd = (forecast.high[80] - forecast.low[80])[:, :days].astype("f8") * SD_PER_INTERVAL
    says, sales = (panel.status[rows, cut] == OBSERVED) & (point > 0) & (sd > 0), panel.sales[rows, cut]
    says &= ~dark(shown.store, np.where(says, sales, 0), np.where(says, point, 0))
    return Outcome(shown.store, shown.item, panel.dates[cut], np.where(says, sales, np.nan), point, sd)


def dark(store: np.ndarray, sales: np.ndarray, due: np.ndarray) -> np.ndarray:
    """(S, H) bool: nothing was sold by the series, or by its whole store, though DUE units were due: closed or not reported.

    No demand gives such a zero, so it says nothing about demand.
    """
    if not (sales == 0).any():
        return np.zeros(sales.shape, bool)
    stores, of = np.unique(store, return_inverse=True)
    sold, expected = (np.stack([np.bincount(of, day, len(stores)) for day in values.T], axis=1)[of] for values in (sales, due))
    return ((sales == 0) & (due >= DUE)) | ((sold == 0) & (expected >= DUE))


def deviations(seen: Outcome, error_per_sd: dict[str, float]) -> dict[str, Deviations]:
    """By kind: EVERYTHING, store, item, series, weekday. A kind with a single segment is left out: it is everything.

    The error of EVERYTHING is MAPE; that of a segment is the mean absolute error, after the level that all sales are off by.
    """
    known = ~np.isnan(seen.sales)
    sales, forecast, sd = (np.where(known, values, 0.0) for values in (seen.sales, seen.forecast, seen.sd))
    common = max(sales.sum(), 1e-9) / max(forecast.sum(), 1e-9)
    parts = (known, sales, forecast, sd**2, error_per_sd["mae"] * sd, np.abs(sales - common * forecast))
    by_series, by_day = [[values.sum(axis=axis) for values in parts] for axis in (1, 0)]
    whole = compared([EVERYTHING], [values.sum(keepdims=True) for values in by_day], 1.0)
    found = {EVERYTHING: replace(whole, error=np.array([mape_beside_normal(seen, known, error_per_sd["mape"])]))}
    for kind, names, group in segments(seen):
        if len(names) > 1:
            per = by_day if kind == WEEKDAY else by_series
            found[kind] = compared(names, [np.bincount(group, values, len(names)) for values in per], common)
    return found


def mape_beside_normal(seen: Outcome, known: np.ndarray, per_sd: float) -> float:
    """MAPE, 1 is normal; NaN where nothing was sold."""
    if not (seen.sales[known] > 0).any():
        return float("nan")
    expected = expected_errors(seen.forecast[known], seen.sd[known])["mape"]
    return errors(seen.sales, seen.forecast)["mape"] / (per_sd * expected)


def segments(seen: Outcome) -> list[tuple[str, Sequence[str], np.ndarray]]:
    """Kind, names (G,) and the segment of every series (S,), or, for weekdays, of every day (H,)."""
    stores, store = np.unique(seen.store, return_inverse=True)
    items, item = np.unique(seen.item, return_inverse=True)
    kinds: list[tuple[str, Sequence[str], np.ndarray]] = [("store", Names(store=stores), store)]
    kinds.append(("item", Names(item=items), item))
    if len(stores) < len(store) > len(items):  # else a store or an item is a series
        kinds.append(("series", Names(store=seen.store, item=seen.item), np.arange(len(store))))
    return [*kinds, (WEEKDAY, WEEKDAYS, (seen.dates.astype("M8[D]").astype(int) + 3) % 7)]


def finest(seen: Outcome) -> tuple[str, list[str]]:
    """The kind whose segments are single series, and their names in the order of the series."""
    kind, names, group = max(segments(seen)[:-1], key=lambda segment: len(segment[1]))
    return kind, [names[g] for g in group]


def compared(names: Sequence[str], sums: Sequence[np.ndarray], common: float) -> Deviations:
    """From sums per segment of: known days, sales, forecast, variance, normal absolute error, absolute error."""
    days, sold, due, variance, usual, error = sums
    both = (sold > 0) & (due > 0)
    level = np.where(both, np.log(np.where(both, sold / np.where(both, due, 1), 1)) - np.log(common), np.nan)
    return Deviations(names, due, level, variance / np.maximum(due, 1e-9) ** 2, error / np.where(usual > 0, usual, np.nan),
                      ABSOLUTE_ERROR_CV2 / np.maximum(days, 1))


def normal(folds: Sequence[Fold], panel: Panel) -> dict[str, Any]:
    """What the backtest says is normal for this method: the part of a champion's baseline that the drift stage judges by.

    Returns:
        error_per_sd: {"mae", "rmse", "mape"}: errors beside those that the intervals let expect (`expected_errors`); 1 where
            nothing was sold to tell;
        spread: {window: {kind: {"level", "error"}}}: standard deviation of the log deviations beyond chance.
    """
    seen = [outcome(panel, fold.history, fold.forecast) for fold in folds]
    known = [~np.isnan(one.sales) for one in seen]
    sales, forecast, sd = (np.concatenate([getattr(one, name)[use] for one, use in zip(seen, known, strict=True)])
                           for name in ("sales", "forecast", "sd"))
    was = errors(sales, forecast)
    beside = {name: was.get(name, np.nan) / max(size, 1e-9) for name, size in expected_errors(forecast, sd).items()}
    per_sd = {name: value if 0 < value < np.inf else 1.0 for name, value in beside.items()}
    spread = {str(window): spreads([one.days(start, start + window) for one in seen
                                    for start in range(0, one.sales.shape[1] - window + 1, window)], per_sd)
              for window in windows(seen[0].sales.shape[1])}
    return {"error_per_sd": per_sd, "spread": spread}


def windows(days: int) -> tuple[int, ...]:
    """The windows that fit into so many days, the longest first; those days themselves if they are fewer."""
    return tuple(window for window in WINDOWS if window <= days) or (days,)


def spreads(seen: Sequence[Outcome], error_per_sd: dict[str, float]) -> dict[str, dict[str, float]]:
    """Standard deviation beyond chance of level and log error, by kind: method of moments, segments weighted by their sales."""
    found: dict[str, list[Deviations]] = {}
    for one in seen:
        for kind, deviation in deviations(one, error_per_sd).items():
            found.setdefault(kind, []).append(deviation)
    return {kind: {"level": beyond_chance([(one.level, one.level_chance, one.due) for one in each]),
                   "error": beyond_chance([(np.log(one.error), one.error_chance, one.due) for one in each])}
            for kind, each in found.items()}


def beyond_chance(samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """sqrt of the weighted mean of value² - variance, of (values, variances, weights); 0 where chance explains it all."""
    value, variance, weight = (np.concatenate(column) for column in zip(*samples, strict=True))
    use = np.isfinite(value) & (weight > 0)
    return float(np.sqrt(max(np.average(value[use] ** 2 - variance[use], weights=weight[use]), 0))) if use.any() else 0.0


def expected_errors(forecast: np.ndarray, sd: np.ndarray) -> dict[str, float]:
    """mae and rmse (units) and mape (%) of errors that are all one standard deviation: times `error_per_sd`, what is normal."""
    if not len(sd):
        return dict.fromkeys(("mae", "rmse", "mape"), 0.0)
    share = sd / np.maximum(forecast, 1)
    return {"mae": float(sd.mean()), "rmse": float(np.sqrt((sd**2).mean())), "mape": float(100 * share.mean())}
