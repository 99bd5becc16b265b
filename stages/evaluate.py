"""Backtests the candidate's configuration: at each origin a model is fitted to what was known then, and scored on what followed.

Reads data/processed/train_window.parquet, and models/model.pkl, the model that the scores speak for. Writes
metrics/evaluate.json (means over the origins; the baselines on the same days, each origin, each month of the horizon; and how far
off is normal, which the drift stage judges by) and the plots' data, reports/plots/*.csv.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import joblib

from stages import entry, paths
from stages.forecasting import baselines, deviation, evaluation, plots, scores
from stages.forecasting.arrow import read_parquet
from stages.forecasting.backtest import Fold, backtest, origins
from stages.forecasting.features import STATE
from stages.forecasting.model import DemandModel
from stages.forecasting.panel import Panel, from_table
from stages.forecasting.versions import sha256
from stages.progress import announced

IN_ALL = ("mae", "rmse", "mape", "smape", "wape", "bias", "mase")  # what a baseline is compared by


def summary(folds: Sequence[Fold], panel: Panel) -> dict[str, Any]:
    """metrics/evaluate.json. Lists are left out of `dvc metrics show` and `dvc exp show`, which would drown in them."""
    per_fold = [evaluation.fold_scores(fold) for fold in folds]
    beside = []
    for name, method in baselines.BASELINES.items():
        made = [method(fold.history, fold.forecast.origin, fold.actual.shape[1]) for fold in folds]
        mean = evaluation.means([evaluation.point_scores(fold, point) for fold, point in zip(folds, made, strict=True)])
        beside.append({"method": name, **{score: mean[score] for score in IN_ALL}})
    heads = [{"origin": str(fold.forecast.origin), "base": fold.model.base} for fold in folds]
    content = {
        **evaluation.means(per_fold),
        "base": folds[-1].model.base,
        "baselines": beside,
        "normal": [deviation.normal(folds, panel)],
        "per_origin": [head | found for head, found in zip(heads, per_fold, strict=True)],
        "per_month": evaluation.by_horizon(folds, evaluation.MONTH),
    }
    rounded: dict[str, Any] = evaluation.rounded(content)
    return rounded


def tables(folds: Sequence[Fold], model: DemandModel) -> dict[str, plots.Table]:
    """The plots' data, by the name of the file."""
    return {
        "actual_vs_predicted": plots.total_per_day(folds),
        "sample_series": plots.sample_series(folds),
        "error_by_horizon": plots.by_week(folds, ("smape", "wape", "mae")),
        "coverage_by_horizon": plots.by_week(folds, [f"coverage_{level}" for level in scores.LEVELS]),
        "feature_importance": plots.importance(model),
        "residuals_by_store": plots.residuals(folds, "store"),
        "residuals_by_item": plots.residuals(folds, "item"),
    }


def message(result: dict[str, Any], origins: int) -> str:
    """The scores in a line; "unknown" where nothing was sold to tell one."""
    digits = {"smape": 2, "mae": 2, "wape": 2, "coverage_80": 1, "coverage_95": 1}
    shown = {name: "unknown" if result[name] is None else f"{result[name]:.{n}f}" for name, n in digits.items()}
    return (f"mean of {origins} origins: " + "SMAPE {smape} %, MAE {mae}, WAPE {wape} %; the intervals of 80 and 95 % cover "
            "{coverage_80} and {coverage_95} %".format(**shown))


def main() -> None:
    params = entry.load_params()
    panel = from_table(read_parquet(paths.WINDOW), params.data.known_future, STATE)
    at = origins(panel, params.evaluate.origins, params.evaluate.step_days, params.forecast.horizon)
    folds = backtest(panel, params.train, at, params.forecast.horizon, announced)
    content = paths.MODEL.read_bytes()
    model: DemandModel = joblib.load(io.BytesIO(content))
    result = summary(folds, panel) | {"model_sha256": sha256(content), "trained_through": str(model.trained_through)}
    for name, table in tables(folds, model).items():
        with entry.whole_file(paths.PLOTS / f"{name}.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([table, *zip(*evaluation.rounded(table).values(), strict=True)])
    entry.write_json(paths.EVALUATE_METRICS, result)
    print(message(result, len(folds)))


if __name__ == "__main__":
    entry.run(main)
