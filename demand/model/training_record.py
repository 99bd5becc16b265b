"""What a model was fitted to: metrics/train.json."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from demand.schema.json_record import ModelRecord, sha256


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


def training_record(facts: dict[str, Any], content: bytes, rows: int, libraries: dict[str, str]) -> dict[str, Any]:
    """metrics/train.json, from a model's facts, its file's bytes and the rows of its window. No clock: two clones must agree."""
    return TrainingRecord(
        model_sha256=sha256(content), trained_from=facts["trained_from"], trained_through=facts["trained_through"],
        rows=rows, series=facts["series"], horizon=facts["horizon"], base=facts["base"],
        report=facts["base_tests"], intervals=facts.get("intervals"), train=facts["train"],
        known_future=tuple(facts["known_future"]), libraries=libraries,
    ).model_dump(mode="json")
