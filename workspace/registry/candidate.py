"""The candidate on disk: models/model.pkl, and metrics/train.json that says which file it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demand.model.training_record import TrainingRecord
from demand.schema.errors import UserError
from demand.schema.json_record import parse_record, sha256
from workspace.run import paths
from workspace.run.files import REPRO, file_bytes, read_json

if TYPE_CHECKING:
    from demand.model.demand_model import DemandModel


def load_candidate() -> DemandModel:
    """The candidate's model, its file's hash verified."""
    from demand.model.demand_model import read_model

    return read_model(candidate_bytes(), str(paths.MODEL))


def candidate_bytes() -> bytes:
    """models/model.pkl, if it is the file that metrics/train.json is about."""
    content = file_bytes(paths.MODEL, f"run dvc repro, or dvc pull {paths.MODEL}")
    record = parse_record(TrainingRecord, read_json(paths.TRAIN_METRICS, REPRO), str(paths.TRAIN_METRICS), REPRO)
    if record.model_sha256 != sha256(content):
        raise UserError(f"{paths.TRAIN_METRICS} is about another model than {paths.MODEL}: {REPRO}")
    return content
