"""Model files as the train stage and promotions leave them."""

from __future__ import annotations

from pathlib import Path

from demand.model.demand_model import DemandModel, dump_model
from demand.model.training_record import training_record
from workspace.run import paths
from workspace.run.files import write_json


def put_candidate(model: DemandModel, project: Path = Path()) -> bytes:
    """models/model.pkl and metrics/train.json; returns the file's content."""
    content = dump_model(model)
    for path in (paths.MODEL, paths.TRAIN_METRICS):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / paths.MODEL).write_bytes(content)
    write_json(project / paths.TRAIN_METRICS, training_record(model, content, 1000, {}))
    return content
