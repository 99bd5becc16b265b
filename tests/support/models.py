"""Models for tests: fitted at the origins of a backtest, and as files as the train stage and promotions leave them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from demand.champion.champion_record import Champion
from demand.model.demand_model import DemandModel, dump_model
from demand.model.training_record import training_record
from demand.model.trees.train_params import TrainParams
from demand.panel.panel import Panel
from demand.schema.json_record import sha256
from workspace.registry.store import write_champion
from workspace.run import paths
from workspace.run.files import write_json

VERSION = "20210101T000000Z"  # of the champion


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


def put_champion(model: DemandModel, **changes: object) -> Champion:
    """Make a model the champion of the working directory; `changes` are what its pointer says other than the truth."""
    path = paths.VERSIONS / VERSION / "model.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(dump_model(model))
    facts = {"version": VERSION, "model": str(path), "sha256": sha256(path.read_bytes()),
             "trained_through": str(model.trained_through), "train": model.facts["train"], "horizon": model.facts["horizon"],
             "baseline": {"smape": 12}, "promoted_at": "2021-01-01T00:00:00Z", "promoted_by": "me", "reason": "first",
             "previous": None}
    champion = Champion.model_validate(facts | changes)
    write_champion(champion)
    return champion
