"""Residuals per segment: everything, a store, an item, a series or a weekday.

Two things are measured in each: its level, log(sales / forecast), and its error, the mean absolute error beside what the
forecast's own intervals let expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors

WINDOWS = (28, 14)  # days: whole weeks
EVERYTHING, WEEKDAY = "everything", "weekday"
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
ABSOLUTE_ERROR_CV2 = np.pi / 2 - 1  # squared coefficient of variation of |error|, for normal errors


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

    @property
    def log_error(self) -> np.ndarray:
        """(G,) log of the error; NaN where there was none at all."""
        return np.log(np.where(self.error > 0, self.error, np.nan))


def deviations_by_kind(seen: Residuals, mae_per_sd: float, mape_per_sd: float) -> dict[str, Deviations]:
    """By kind: EVERYTHING, store, item, series, weekday. A kind with a single segment is left out: it is everything.

    The error of EVERYTHING is MAPE; that of a segment is the mean absolute error, after the level that all sales are off by.

    Args:
        mae_per_sd, mape_per_sd: normal errors beside those that the intervals let expect (error_model.ErrorPerSd).
    """
    known = ~np.isnan(seen.sales)
    sales, forecast, sd = (np.where(known, values, 0.0) for values in (seen.sales, seen.forecast, seen.sd))
    common = max(sales.sum(), 1e-9) / max(forecast.sum(), 1e-9)
    parts = (known, sales, forecast, sd**2, mae_per_sd * sd, np.abs(sales - common * forecast))
    by_series, by_day = [[values.sum(axis=axis) for values in parts] for axis in (1, 0)]
    whole = segment_deviations([EVERYTHING], [values.sum(keepdims=True) for values in by_day], 1.0)
    found = {EVERYTHING: replace(whole, error=np.array([relative_mape(seen, known, mape_per_sd)]))}
    for kind, names, group in segments(seen):
        if len(names) > 1:
            per = by_day if kind == WEEKDAY else by_series
            found[kind] = segment_deviations(names, [np.bincount(group, values, len(names)) for values in per], common)
    return found


def relative_mape(seen: Residuals, known: np.ndarray, per_sd: float) -> float:
    """MAPE, 1 is normal; NaN where nothing was sold."""
    if not (seen.sales[known] > 0).any():
        return float("nan")
    expected = expected_errors(seen.forecast[known], seen.sd[known])["mape"]
    return errors(seen.sales, seen.forecast)["mape"] / (per_sd * expected)


def segments(seen: Residuals) -> list[tuple[str, Sequence[str], np.ndarray]]:
    """Kind, names (G,) and the segment of every series (S,), or, for weekdays, of every day (H,)."""
    stores, store = np.unique(seen.store, return_inverse=True)
    items, item = np.unique(seen.item, return_inverse=True)
    kinds: list[tuple[str, Sequence[str], np.ndarray]] = [("store", Names(store=stores), store)]
    kinds.append(("item", Names(item=items), item))
    if len(stores) < len(store) > len(items):  # else a store or an item is a series
        kinds.append(("series", Names(store=seen.store, item=seen.item), np.arange(len(store))))
    return [*kinds, (WEEKDAY, WEEKDAYS, (seen.dates.astype("M8[D]").astype(int) + 3) % 7)]


def series_segments(seen: Residuals) -> tuple[str, list[str]]:
    """The kind whose segments are single series, and their names in the order of the series."""
    kind, names, group = max(segments(seen)[:-1], key=lambda segment: len(segment[1]))
    return kind, [names[g] for g in group]


def segment_deviations(names: Sequence[str], sums: Sequence[np.ndarray], common: float) -> Deviations:
    """From sums per segment of: known days, sales, forecast, variance, normal absolute error, absolute error."""
    days, sold, due, variance, usual, error = sums
    both = (sold > 0) & (due > 0)
    level = np.where(both, np.log(np.where(both, sold / np.where(both, due, 1), 1)) - np.log(common), np.nan)
    return Deviations(names, due, level, variance / np.maximum(due, 1e-9) ** 2, error / np.where(usual > 0, usual, np.nan),
                      ABSOLUTE_ERROR_CV2 / np.maximum(days, 1))


def windows(days: int) -> tuple[int, ...]:
    """The windows that fit into so many days, the longest first; those days themselves if they are fewer."""
    return tuple(window for window in WINDOWS if window <= days) or (days,)
