"""Residuals per segment: everything, a store, an item, a series or a weekday.

Two things are measured in each: its level, log(sales / forecast), and its error, the mean absolute error relative to the one that
the forecast's own intervals imply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.panel.calendar import weekdays

WINDOWS = (28, 14)  # days, whole weeks
EVERYTHING, WEEKDAY = "everything", "weekday"
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
ABSOLUTE_ERROR_CV2 = np.pi / 2 - 1  # squared coefficient of variation of |error|, for normal errors


class Names(Sequence[str]):
    """Names of segments for planners, such as "store 1, item 2": a word and an array of ids (G,) each, joined when read."""

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
        names: (G,) for planners.
        expected: (G,) expected sales, units.
        level: (G,) log(sales / forecast), for segments less that of everything; NaN where nothing was sold or expected.
        level_variance: (G,) its sampling variance.
        error: (G,) mean absolute error, 1 is what the intervals imply; NaN where nothing was expected.
        error_variance: (G,) sampling variance of the log error.
    """

    names: Sequence[str]
    expected: np.ndarray
    level: np.ndarray
    level_variance: np.ndarray
    error: np.ndarray
    error_variance: np.ndarray

    @property
    def log_error(self) -> np.ndarray:
        """(G,) log of the error; NaN where there was none at all."""
        return np.log(np.where(self.error > 0, self.error, np.nan))


def deviations_by_kind(residuals: Residuals, mae_per_sd: float, mape_per_sd: float) -> dict[str, Deviations]:
    """Deviations by kind: EVERYTHING, store, item, series, weekday. A kind with a single segment is left out: it is everything.

    The error of EVERYTHING is MAPE. That of a segment is the mean absolute error around the forecast times the global ratio.

    Args:
        mae_per_sd, mape_per_sd: expected errors relative to those that the intervals imply (error_model.ErrorPerSd).
    """
    known = ~np.isnan(residuals.sales)
    sales, forecast, sd = (np.where(known, values, 0.0) for values in (residuals.sales, residuals.forecast, residuals.sd))
    global_ratio = max(sales.sum(), 1e-9) / max(forecast.sum(), 1e-9)
    parts = (known, sales, forecast, sd**2, mae_per_sd * sd, np.abs(sales - global_ratio * forecast))
    by_series, by_day = [[values.sum(axis=axis) for values in parts] for axis in (1, 0)]
    everything = segment_deviations([EVERYTHING], [values.sum(keepdims=True) for values in by_day], 1.0)
    deviations = {EVERYTHING: replace(everything, error=np.array([relative_mape(residuals, known, mape_per_sd)]))}
    for kind, names, group in segments(residuals):
        if len(names) > 1:
            per = by_day if kind == WEEKDAY else by_series
            sums = [np.bincount(group, values, len(names)) for values in per]
            deviations[kind] = segment_deviations(names, sums, global_ratio)
    return deviations


def relative_mape(residuals: Residuals, known: np.ndarray, mape_per_sd: float) -> float:
    """MAPE relative to the expected one; NaN where nothing was sold."""
    if not (residuals.sales[known] > 0).any():
        return float("nan")
    expected = expected_errors(residuals.forecast[known], residuals.sd[known])["mape"]
    return errors(residuals.sales, residuals.forecast)["mape"] / (mape_per_sd * expected)


def segments(residuals: Residuals) -> list[tuple[str, Sequence[str], np.ndarray]]:
    """Kind, names (G,) and the segment of every series (S,), or, for weekdays, of every day (H,)."""
    stores, store = np.unique(residuals.store, return_inverse=True)
    items, item = np.unique(residuals.item, return_inverse=True)
    kinds: list[tuple[str, Sequence[str], np.ndarray]] = [("store", Names(store=stores), store)]
    kinds.append(("item", Names(item=items), item))
    if len(stores) < len(store) > len(items):  # else a store or an item is a series
        kinds.append(("series", Names(store=residuals.store, item=residuals.item), np.arange(len(store))))
    return [*kinds, (WEEKDAY, WEEKDAYS, weekdays(residuals.dates))]


def series_segments(residuals: Residuals) -> tuple[str, list[str]]:
    """The kind whose segments are single series, and their names in the order of the series."""
    kind, names, group = max(segments(residuals)[:-1], key=lambda segment: len(segment[1]))
    return kind, [names[g] for g in group]


def segment_deviations(names: Sequence[str], sums: Sequence[np.ndarray], global_ratio: float) -> Deviations:
    """Deviations of segments, from sums over each: known days, sales, forecast, variance, expected and actual absolute error."""
    days, actual, expected, variance, expected_error, error = sums
    both = (actual > 0) & (expected > 0)
    ratio = np.where(both, actual / np.where(both, expected, 1), 1)
    level = np.where(both, np.log(ratio) - np.log(global_ratio), np.nan)
    return Deviations(names, expected, level, variance / np.maximum(expected, 1e-9) ** 2,
                      error / np.where(expected_error > 0, expected_error, np.nan), ABSOLUTE_ERROR_CV2 / np.maximum(days, 1))


def windows(days: int) -> tuple[int, ...]:
    """The windows that fit into so many days, the longest first; those days themselves if they are fewer."""
    return tuple(window for window in WINDOWS if window <= days) or (days,)
