"""What a model was fitted to: metrics/train.json."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import Field

from demand.schema.json_record import ModelRecord, sha256

if TYPE_CHECKING:
    from demand.model.demand_model import DemandModel


class TrainingRecord(ModelRecord):
    """metrics/train.json: what the candidate was fitted to."""

    trained_from: date
    trained_through: date
    rows: int = Field(description="of the training window")
    series: int
    horizon: int
    base: str = Field(description="what boosting corrects")
    report: dict[str, Any] = Field(description="how the base was chosen")
    intervals: str | None = Field(None, description="what their width is learned from: held-out days, or a wide prior")
    train: dict[str, Any] = Field(description="the train section of params.yaml")
    known_future: tuple[str, ...] = Field(description="data.known_future of params.yaml")
    libraries: dict[str, str] = Field(default_factory=dict, description="versions of the libraries that decide the numbers")


def training_record(model: DemandModel, content: bytes, rows: int, libraries: dict[str, str]) -> dict[str, Any]:
    """metrics/train.json of a model, its file's bytes and the rows of its window. No clock: two clones must agree on it."""
    return TrainingRecord(
        model_sha256=sha256(content), trained_from=model.facts["trained_from"], trained_through=model.facts["trained_through"],
        rows=rows, series=model.facts["series"], horizon=model.facts["horizon"], base=model.base.kind,
        report=model.facts["base_tests"], intervals=model.facts.get("intervals"), train=model.facts["train"],
        known_future=tuple(model.facts["known_future"]), libraries=libraries,
    ).model_dump(mode="json")
