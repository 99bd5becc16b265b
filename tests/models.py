"""Models for tests: fitted at the origins of a backtest, and as files as the train stage and promotions leave them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from demand.model.demand_model import DemandModel, dump_model
from demand.model.training_record import training_record
from demand.model.trees.train_params import TrainParams
from demand.panel.panel import Panel
from workspace.run import paths
from workspace.run.files import write_json


def fit_with(train: TrainParams, horizon: int) -> Callable[[Panel], DemandModel]:
    """What a backtest fits at its origins."""
    return partial(DemandModel.fit, train=train, horizon=horizon)


def put_candidate(model: DemandModel, project: Path = Path()) -> bytes:
    """models/model.pkl and metrics/train.json; returns the file's content."""
    content = dump_model(model)
    for path in (paths.MODEL, paths.TRAIN_METRICS):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / paths.MODEL).write_bytes(content)
    write_json(project / paths.TRAIN_METRICS, training_record(model.facts, content, 1000, {}))
    return content
