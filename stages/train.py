"""Fits the demand model to the training window.

Reads data/processed/train_window.parquet. Writes models/model.pkl (joblib), the same bytes for the same window, and
metrics/train.json (fields: demand/model/training_record.py).
"""

from __future__ import annotations

from demand.model.demand_model import DemandModel, dump_model
from demand.model.training_record import training_record
from demand.model.trees.train_params import TrainParams
from demand.panel.panel import ABSENT
from demand.planning.forecast_params import ForecastParams
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file, write_json
from workspace.run.libraries import model_libraries
from workspace.run.panel_file import read_panel
from workspace.run.params_file import load_params


def main() -> None:
    train, days = load_params(TrainParams, ForecastParams)
    libraries, panel = model_libraries(), read_panel(paths.WINDOW)
    model = DemandModel.fit(panel, train, days.horizon)
    content = dump_model(model)
    with whole_file(paths.MODEL) as part:
        part.write_bytes(content)
    write_json(paths.TRAIN_METRICS, training_record(model.facts, content, int((panel.status != ABSENT).sum()), libraries))
    wide = ", wide intervals" if model.facts["intervals"] == "prior" else ""
    print(f"{model.base.kind} base{wide}, {model.facts['series']:,} series up to {model.trained_through}: {paths.MODEL}")


if __name__ == "__main__":
    run_command(main)
