"""Rolling-origin backtest: at each origin a model is fitted to what was known then, and scored on the days that followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from demand.panel.fitted_model import FittedModel
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel, rows_of
from demand.panel.training_window import FEWEST_DAYS
from demand.schema.errors import UserError

FEWEST_BEFORE = 28  # days of history that a model is fitted to at an origin


@dataclass(frozen=True)
class Fold:
    """One origin. `actual` (S, H) are the recorded sales after it, NaN where none were recorded; `history` is what was shown."""

    history: Panel
    actual: np.ndarray
    forecast: Forecast
    model: FittedModel


@dataclass(frozen=True)
class Plan:
    """What is backtested: the origins, oldest first, none where the history is too short, and the days after each."""

    origins: list[np.datetime64]
    horizon: int


def plan_backtest(panel: Panel, wanted: int | Sequence[date], step: int, horizon: int) -> Plan:
    """The origins that are named, or up to so many, `step` days apart, the last one `horizon` days before the end.

    Of the latter, those are taken that have at least `horizon` days, and FEWEST_BEFORE, on both sides, and sales on both. Where
    there are none, one origin is taken with the longest horizon that leaves FEWEST_BEFORE days before it. A history of less than
    FEWEST_DAYS has none at all.

    Raises:
        UserError: an origin that is named leaves too few days.
    """
    first, last = panel.dates[0], panel.last_day
    if not isinstance(wanted, int):
        named: list[np.datetime64] = sorted(np.datetime64(day, "D") for day in wanted)
        for origin in named:
            if not first + FEWEST_BEFORE - 1 <= origin <= last - horizon:
                raise UserError(f"evaluate.origins: {origin} leaves less than {FEWEST_BEFORE} days before it or {horizon} after "
                                f"it within {first} ... {last}: name other origins, their number, or a shorter forecast.horizon")
        return Plan(named, horizon)
    days = panel.column(last) + 1
    if days < FEWEST_DAYS:
        return Plan([], horizon)
    longest = min(horizon, days - FEWEST_BEFORE)
    chosen = [last - horizon - step * k for k in reversed(range(wanted))]
    fitting = [origin for origin in chosen if panel.column(origin) + 1 >= max(horizon, FEWEST_BEFORE)] or [last - longest]
    return Plan([origin for origin in fitting if can_be_scored(panel, origin, longest)], longest)


def can_be_scored(panel: Panel, origin: np.datetime64, horizon: int) -> bool:
    """Whether a series has recorded sales up to the origin, and on one of the `horizon` days after it."""
    known, at = ~np.isnan(panel.recorded), panel.column(origin) + 1
    return bool((known[:, :at].any(axis=1) & known[:, at:at + horizon].any(axis=1)).any())


def backtest_fits(panel: Panel, horizon: int) -> bool:
    """Whether the history is long enough for a first origin."""
    return bool(plan_backtest(panel, 1, 1, horizon).origins)


def backtest(panel: Panel, fit: Callable[[Panel], FittedModel], at: Sequence[np.datetime64], horizon: int,
             progress: Callable[[Sequence[np.datetime64]], Iterable[np.datetime64]] = iter) -> list[Fold]:
    """One fold per origin; nothing after an origin reaches the model that is tested there.

    Args:
        fit: makes a model of the panel up to an origin.
        at: the origins.
        horizon: days after each that are forecast.
        progress: passes the origins on, one by one.
    """
    folds = []
    for origin in progress(at):
        history = panel.through(origin)
        folds.append(fold_of(panel, history, origin, horizon, fit(history)))
    return folds


def fold_of(panel: Panel, history: Panel, origin: np.datetime64, horizon: int, model: FittedModel) -> Fold:
    """The fold of a fitted model, shown the `history` = panel.through(origin)."""
    return Fold(history, actual_after(panel, history, origin, horizon), model.predict(history, origin, horizon), model)


def actual_after(panel: Panel, history: Panel, origin: np.datetime64, horizon: int) -> np.ndarray:
    """(S, H) recorded sales of the history's series on the `horizon` days after the origin; NaN where none were recorded."""
    start = panel.column(origin) + 1
    return panel.recorded[rows_of(panel, history), start:start + horizon]
