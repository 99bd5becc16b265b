"""Scores of the folds of a backtest, and their means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.backtest import scores
from demand.backtest.folds import Fold
from demand.panel.forecast import LEVELS
from demand.panel.panel import closed_by_plan
from demand.schema.errors import UserError

MONTH, WEEK = 30, 7  # days of the horizon that are scored together
SCORES = ("mae", "rmse", "mape", "smape", "wape", "bias", "mape_zeros", "n", "wape_28", "mase", "pinball",
          *(f"coverage_{level}" for level in LEVELS))  # of a fold
COUNTS = ("mape_zeros", "n")  # are added up where the others are averaged


def fold_scores(fold: Fold) -> dict[str, float]:
    """Point errors, MASE, pinball loss and coverage of one fold: see `point_scores` and `interval_scores`."""
    return point_scores(fold, fold.forecast.point) | interval_scores(fold, slice(None))


def point_scores(fold: Fold, point: np.ndarray) -> dict[str, float]:
    """`scores.errors`, `wape_of_totals` (wape_28) and `mase` of a forecast (S, H) of the fold's days."""
    values = scores.errors(fold.actual, point)
    if not values["n"]:
        raise UserError(f"no series has sales after the origin {fold.forecast.origin}: name other evaluate.origins")
    return values | {"wape_28": scores.wape_of_totals(fold.actual, point),
                     "mase": scores.mase(fold.actual, point, scores.naive_scale(fold.history.recorded))}


def interval_scores(fold: Fold, days: slice) -> dict[str, float]:
    """Of some days of the horizon: `pinball` (units; mean over the median and the ends of the intervals), `coverage_80`,
    `coverage_95` (%).

    Days that the plan calls closed do not count for coverage: their sales are known.
    """
    forecast = fold.forecast
    actual = fold.actual[:, days].astype("f8")
    ends = [(side, level) for level in LEVELS for side in ("low", "high")]
    losses = [scores.pinball(actual, forecast.point[:, days], 0.5)]
    for side, level in ends:
        tail = (100 - level) / 200
        losses.append(scores.pinball(actual, getattr(forecast, side)[level][:, days], tail if side == "low" else 1 - tail))
    open_days = np.where(closed_on_target_days(fold)[:, days], np.nan, actual)
    return {"pinball": float(np.mean(losses))} | {
        f"coverage_{level}": scores.coverage(open_days, forecast.low[level][:, days], forecast.high[level][:, days])
        for level in LEVELS}


def closed_on_target_days(fold: Fold) -> np.ndarray:
    """(S, H) bool: days of the horizon that were known to be closed at the origin."""
    start = fold.history.column(fold.forecast.origin) + 1
    return closed_by_plan(fold.history)[:, start:start + fold.actual.shape[1]]


def by_horizon(folds: Sequence[Fold], step: int) -> list[dict[str, float]]:
    """Scores of each `step` days of the horizon, means over the folds: `first_day`, `last_day`, smape, wape, mae, coverage."""
    horizon = folds[0].actual.shape[1] if folds else 0
    rows = []
    for start in range(0, horizon, step):
        days = slice(start, min(start + step, horizon))
        per_fold = [scores.errors(fold.actual[:, days], fold.forecast.point[:, days]) | interval_scores(fold, days)
                    for fold in folds if not np.isnan(fold.actual[:, days]).all()]
        if per_fold:
            mean = means(per_fold)
            names = ("smape", "wape", "mae", *(f"coverage_{level}" for level in LEVELS))
            rows.append({"first_day": start + 1, "last_day": days.stop} | {name: mean[name] for name in names})
    return rows


def means(per_fold: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each score over the folds; counts are added up."""
    total = {name: sum(each[name] for each in per_fold) for name in per_fold[0]}
    return {name: value if name in COUNTS else value / len(per_fold) for name, value in total.items()}
