"""Fits the demand model to the training window.

Reads data/processed/train_window.parquet. Writes models/model.pkl (joblib), the same bytes for the same window, and
metrics/train.json (fields: versions.Training).
"""

from __future__ import annotations

import io
from typing import Any

import joblib

from stages import entry, paths
from stages.forecasting.arrow import read_parquet
from stages.forecasting.features import STATE
from stages.forecasting.model import DemandModel
from stages.forecasting.panel import from_table
from stages.forecasting.params import Params
from stages.forecasting.versions import Training, sha256


def pickled(model: DemandModel) -> bytes:
    """The model as joblib writes it."""
    stream = io.BytesIO()
    joblib.dump(model, stream)
    return stream.getvalue()


def summary(model: DemandModel, content: bytes, rows: int, params: Params) -> dict[str, Any]:
    """metrics/train.json. No wall-clock values: two clones must agree on it."""
    return Training(
        model_sha256=sha256(content), trained_from=model.facts["trained_from"], trained_through=model.facts["trained_through"],
        rows=rows, series=model.facts["series"], horizon=params.forecast.horizon, base=model.base,
        report=model.facts["base_tests"], train=params.train.model_dump(mode="json"), known_future=params.data.known_future,
    ).model_dump(mode="json")


def main() -> None:
    params = entry.load_params()
    table = read_parquet(paths.WINDOW)
    model = DemandModel.fit(from_table(table, params.data.known_future, STATE), params.train, params.forecast.horizon)
    content = pickled(model)
    with entry.whole_file(paths.MODEL) as part:
        part.write_bytes(content)
    entry.write_json(paths.TRAIN_METRICS, summary(model, content, table.num_rows, params))
    print(f"{model.base} base, {model.facts['series']:,} series up to {model.trained_through}: {paths.MODEL}")


if __name__ == "__main__":
    entry.run(main)
