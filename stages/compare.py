"""Compares the candidate with the champion, on days that neither of the compared fits had seen.

Reads data/processed/train_window.parquet, metrics/evaluate.json and models/champion.json. Writes metrics/compare.json (fields:
demand/champion/promotion_rule.py). A model cannot be scored at an origin before its last day of training, so at the origins of
the backtest settings are compared, each fitted there. At origins that the champion never saw, it forecasts itself.
"""

from __future__ import annotations

from typing import Any

from demand.backtest.evaluation_record import BacktestRecord
from demand.champion.champion_record import METRIC
from demand.champion.comparison import champion_configuration, compare_with_champion, comparison_message, numbers
from demand.model.demand_model import DemandModel
from demand.model.trees.train_params import TrainParams
from demand.planning.forecast_params import ForecastParams
from demand.schema.json_record import parse_record, round_floats
from workspace.registry.store import load_model, read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import REPRO, read_json, write_json
from workspace.run.panel_file import read_panel
from workspace.run.params_file import load_params
from workspace.run.progress import announced


def main() -> None:
    train, days = load_params(TrainParams, ForecastParams)
    evaluated = read_json(paths.EVALUATE_METRICS, REPRO)
    parse_record(BacktestRecord, evaluated, str(paths.EVALUATE_METRICS), REPRO)
    current = read_champion()
    compared: dict[str, Any] = {"champion_scores": {}, "unseen": {}}
    if current is not None:
        panel = read_panel(paths.WINDOW)
        compared = round_floats(compare_with_champion(panel, evaluated, train, evaluated["horizon"] or days.horizon, current,
                                                      DemandModel.fit, load_model, announced))
    theirs = compared["champion_scores"].get(METRIC)
    ratio = evaluated[METRIC] / theirs if theirs and evaluated[METRIC] is not None else None
    write_json(paths.COMPARE_METRICS, {
        "model_sha256": evaluated["model_sha256"],
        "champion": current and current.version,
        "same_configuration": current is not None and champion_configuration(train, current) == train,
        "origins": [fold["origin"] for fold in evaluated["per_origin"]],
        "candidate": numbers(evaluated),
        "ratio": round_floats(ratio),
        **compared,
    })
    print(comparison_message(evaluated[METRIC], ratio, current))


if __name__ == "__main__":
    run_command(main)
