"""Fits the demand model to the training window.

Reads data/processed/train_window.parquet. Writes models/model.pkl (joblib), the same bytes for the same window, and
metrics/train.json (fields: versions.Training).
"""

from __future__ import annotations

from demand.ingest.data_params import DataParams
from demand.model.demand_model import DemandModel
from demand.model.model_file import pickled
from demand.model.training_record import training_record
from demand.model.trees.train_params import TrainParams
from demand.panel.arrow import read_parquet
from demand.panel.lag_features import STATE
from demand.panel.long_table import from_table
from demand.planning.forecast_params import ForecastParams
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file, write_json
from workspace.run.params_file import load_params


def main() -> None:
    source, train, days = load_params(DataParams, TrainParams, ForecastParams)
    table = read_parquet(paths.WINDOW)
    model = DemandModel.fit(from_table(table, source.known_future, STATE), train, days.horizon)
    content = pickled(model)
    with whole_file(paths.MODEL) as part:
        part.write_bytes(content)
    write_json(paths.TRAIN_METRICS, training_record(model, content, table.num_rows))
    print(f"{model.base} base, {model.facts['series']:,} series up to {model.trained_through}: {paths.MODEL}")


if __name__ == "__main__":
    run_command(main)
