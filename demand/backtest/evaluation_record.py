"""The backtest as metrics/evaluate.json, and as the tables of reports/plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from demand.backtest import plot_tables
from demand.backtest.error_estimate import estimate_error_model
from demand.backtest.fold_scores import MONTH, SCORES, by_horizon, fold_scores, means, point_scores
from demand.backtest.folds import Fold
from demand.backtest.group_scores import by_age, by_speed
from demand.backtest.sum_scores import by_sum
from demand.panel.fitted_model import FittedModel
from demand.panel.forecast import LEVELS
from demand.panel.panel import Panel
from demand.panel.training_window import FEWEST_DAYS
from demand.schema.json_record import ModelRecord, round_floats

Method = Callable[[Panel, np.datetime64, int], np.ndarray]  # (panel, origin, horizon) to a forecast (S, H)
BASELINE_SCORES = ("mae", "rmse", "mape", "smape", "wape", "wape_28", "bias", "mase")  # what a baseline is compared by


class ScoredOrigin(BaseModel):
    """One origin of a backtest, beside its scores."""

    model_config = ConfigDict(extra="allow")

    origin: date


class BacktestRecord(ModelRecord):
    """metrics/evaluate.json, as far as a comparison needs it."""

    model_config = ConfigDict(extra="allow")

    horizon: int | None = Field(gt=0, description="days; null for a history that is too short for a backtest")
    smape: float | None = Field(description="null likewise")
    per_origin: list[ScoredOrigin]


def evaluation_record(folds: Sequence[Fold], panel: Panel, baselines: Mapping[str, Method]) -> dict[str, Any]:
    """metrics/evaluate.json. `dvc metrics show` and `dvc exp show` leave lists out, as they are many.

    Without a fold every score is None, and every list empty.

    Args:
        panel: what was backtested.
        baselines: simple methods by name, scored on the same days.
    """
    content = scored_record(folds, panel, baselines) if folds else unscored_record()
    rounded: dict[str, Any] = round_floats(content)
    return rounded


def scored_record(folds: Sequence[Fold], panel: Panel, baselines: Mapping[str, Method]) -> dict[str, Any]:
    """The scores of one fold or more."""
    per_fold = [fold_scores(fold) for fold in folds]
    baseline_scores = []
    for name, method in baselines.items():
        forecasts = [method(fold.history, fold.forecast.origin, fold.actual.shape[1]) for fold in folds]
        mean = means([point_scores(fold, point) for fold, point in zip(folds, forecasts, strict=True)])
        baseline_scores.append({"method": name, **{score: mean[score] for score in BASELINE_SCORES}})
    heads = [{"origin": str(fold.forecast.origin), "base": fold.model.base.kind,
              "spells": round(fold.model.joint_error.spells, 1)} for fold in folds]
    return {
        "origins": len(folds),
        "horizon": folds[-1].actual.shape[1],
        **means(per_fold),
        "base": folds[-1].model.base.kind,
        "baselines": baseline_scores,
        "normal": [estimate_error_model(folds, panel).model_dump(mode="json")],
        "per_origin": [head | scores for head, scores in zip(heads, per_fold, strict=True)],
        "per_month": by_horizon(folds, MONTH),
        "per_speed": by_speed(folds),
        "per_age": by_age(folds),
        "sums": by_sum(folds),
    }


def unscored_record() -> dict[str, Any]:
    """The same keys, where the history is too short for an origin."""
    return {"origins": 0, "horizon": None, **dict.fromkeys(SCORES), "base": None,
            "baselines": [], "normal": [], "per_origin": [], "per_month": [], "per_speed": [], "per_age": [], "sums": []}


def backtest_tables(folds: Sequence[Fold], model: FittedModel, record: Mapping[str, Any]) -> dict[str, plot_tables.Table]:
    """The plots' data, by the name of the file; `record` is the folds' evaluation_record."""
    return {
        "actual_vs_predicted": plot_tables.total_per_day(folds),
        "sample_series": plot_tables.sample_series(folds),
        "error_by_horizon": plot_tables.by_week(folds, ("smape", "wape", "mae")),
        "coverage_of_sums": plot_tables.sum_coverage(record["sums"]),
        "coverage_by_horizon": plot_tables.by_week(folds, [f"coverage_{level}" for level in LEVELS]),
        "feature_importance": plot_tables.importance(model),
        "residuals_by_store": plot_tables.residuals(folds, "store"),
        "residuals_by_item": plot_tables.residuals(folds, "item"),
    }


def scores_message(result: dict[str, Any]) -> str:
    """The scores in a line; "unknown" where a score has no value as nothing was sold."""
    if not result["origins"]:
        return f"unscored: a backtest needs {FEWEST_DAYS} days of history, and sales in the last of them"
    digits = {"smape": 2, "mae": 2, "wape": 2, "coverage_80": 1, "coverage_95": 1}
    shown = {name: "unknown" if result[name] is None else f"{result[name]:.{n}f}" for name, n in digits.items()}
    where = "one origin" if result["origins"] == 1 else f"mean of {result['origins']} origins"
    return (f"{where}, {result['horizon']} days each: " + "SMAPE {smape} %, MAE {mae}, WAPE {wape} %; the intervals of 80 and "
            "95 % cover {coverage_80} and {coverage_95} %".format(**shown))
