"""Backtests the candidate's configuration: at each origin a model is fitted to what was known then, and scored on what followed.

Reads data/processed/train_window.parquet, and models/model.pkl, the model that the scores speak for. Writes
metrics/evaluate.json (means over the origins; the baselines on the same days, each origin, each month of the horizon; and how far
off is normal, which the drift stage judges by) and the plots' data, reports/plots/*.csv.
"""

from __future__ import annotations

import csv
from functools import partial

from demand.backtest.evaluate_params import EvaluateParams
from demand.backtest.evaluation_record import backtest_tables, evaluation_record, scores_message
from demand.backtest.folds import backtest, plan_backtest
from demand.baselines import BASELINES
from demand.model.demand_model import DemandModel, read_model
from demand.model.trees.train_params import TrainParams
from demand.planning.forecast_params import ForecastParams
from demand.schema.json_record import round_floats, sha256
from workspace.registry.candidate import candidate_bytes
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file, write_json
from workspace.run.panel_file import read_panel
from workspace.run.params_file import load_params
from workspace.run.progress import announced


def main() -> None:
    train, rules, days = load_params(TrainParams, EvaluateParams, ForecastParams)
    panel = read_panel(paths.WINDOW)
    plan = plan_backtest(panel, rules.origins, rules.step_days, days.horizon)
    fit = partial(DemandModel.fit, train=train, horizon=plan.horizon)
    folds = backtest(panel, fit, plan.origins, plan.horizon, announced)
    content = candidate_bytes()
    model = read_model(content, str(paths.MODEL))
    result = evaluation_record(folds, panel, BASELINES) | {
        "intervals": model.facts.get("intervals"), "model_sha256": sha256(content), "trained_through": str(model.trained_through)}
    for name, table in backtest_tables(folds, model, result).items():
        with whole_file(paths.PLOTS / f"{name}.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([table, *zip(*round_floats(table).values(), strict=True)])
    write_json(paths.EVALUATE_METRICS, result)
    print(scores_message(result))


if __name__ == "__main__":
    run_command(main)
