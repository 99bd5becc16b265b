"""Rolling-origin backtest: at each origin the method is fitted to what was known then, and scored on the days that followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from demand.model.demand_model import DemandModel
from demand.model.trees.train_params import TrainParams
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel, rows_of
from demand.schema.errors import UserError


@dataclass(frozen=True)
class Fold:
    """One origin. `actual` (S, H) are the recorded sales after it, NaN where none were recorded; `history` is what was shown."""

    history: Panel
    actual: np.ndarray
    forecast: Forecast
    model: DemandModel


def origins(panel: Panel, wanted: int | Sequence[date], step: int, horizon: int) -> list[np.datetime64]:
    """The origins to test, oldest first: those named, or so many, `step` days apart, the last one `horizon` before the end."""
    last = panel.last_day - horizon
    if isinstance(wanted, int):
        chosen = [last - step * k for k in reversed(range(wanted))]
    else:
        chosen = sorted(np.datetime64(day, "D") for day in wanted)
    for origin in chosen:
        if not panel.dates[0] + horizon <= origin <= last:
            raise UserError(f"evaluate.origins: {origin} leaves no {horizon} days on both sides within {panel.dates[0]} ... "
                            f"{panel.last_day}: name other origins, fewer of them, or a shorter forecast.horizon")
    return chosen


def backtest(panel: Panel, train: TrainParams, at: Sequence[np.datetime64], horizon: int,
             progress: Callable[[Sequence[np.datetime64]], Iterable[np.datetime64]] = iter) -> list[Fold]:
    """One fold per origin. The panel needs its state; nothing after an origin reaches the model that is tested there."""
    folds = []
    for origin in progress(at):
        history = panel.through(origin)
        folds.append(fold_of(panel, history, origin, horizon, DemandModel.fit(history, train, horizon)))
    return folds


def fold_of(panel: Panel, history: Panel, origin: np.datetime64, horizon: int, model: DemandModel) -> Fold:
    """The fold of a fitted model, shown the `history` = panel.through(origin)."""
    return Fold(history, actual_after(panel, history, origin, horizon), model.predict(history, origin, horizon), model)


def actual_after(panel: Panel, history: Panel, origin: np.datetime64, horizon: int) -> np.ndarray:
    """(S, H) recorded sales of the history's series on the `horizon` days after the origin; NaN where none were recorded."""
    start = panel.column(origin) + 1
    return panel.recorded[rows_of(panel, history), start:start + horizon]
