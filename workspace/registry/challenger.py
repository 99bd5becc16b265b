"""The candidate as a challenger: its records, which must be about its model file, and the champion that it would become."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demand.champion.champion_record import (
    BASELINE,
    ID_FORMAT,
    TIME_FORMAT,
    Champion,
    took_over_at,
    version_id,
)
from demand.champion.promotion_rule import ComparisonRecord, EvaluationRecord
from demand.model.training_record import TrainingRecord
from demand.schema.errors import UserError
from demand.schema.json_record import About, parse_record, sha256
from workspace.registry.store import stored_versions
from workspace.run import paths
from workspace.run.files import REPRO, read_json


@dataclass(frozen=True)
class Challenger:
    """models/model.pkl and what is known about it."""

    content: bytes
    training: TrainingRecord
    evaluation: EvaluationRecord
    comparison: ComparisonRecord


def as_champion(candidate: Challenger, current: Champion | None, reason: str) -> Champion:
    """What the pointer says when the candidate takes over from the present champion now."""
    now, training = next_moment(current), candidate.training
    version = version_id(now)
    return Champion(
        version=version, model=str(paths.VERSIONS / version / paths.MODEL.name), sha256=training.model_sha256,
        trained_through=training.trained_through, train=training.train, known_future=training.known_future,
        horizon=training.horizon,
        baseline=candidate.evaluation.model_dump(mode="json", include=set(BASELINE)),
        promoted_at=now.strftime(TIME_FORMAT), promoted_by=current_user(), previous=current.version if current else None,
        reason=reason,
    )


def read_challenger(content: bytes, current: Champion | None) -> Challenger:
    """The candidate with its records.

    Raises:
        UserError: a record is about another model file, or the comparison about another champion.
    """
    digest = sha256(content)

    def metrics(kind: type[About], path: Path) -> About:
        found = parse_record(kind, read_json(path, REPRO), str(path), REPRO)
        if found.model_sha256 != digest:
            raise UserError(f"{path} is about another model than {paths.MODEL}: {REPRO}")
        return found

    candidate = Challenger(content, metrics(TrainingRecord, paths.TRAIN_METRICS),
                           metrics(EvaluationRecord, paths.EVALUATE_METRICS),
                          metrics(ComparisonRecord, paths.COMPARE_METRICS))
    version = current.version if current else None
    if candidate.comparison.champion != version:
        raise UserError(f"{paths.COMPARE_METRICS} is about champion {candidate.comparison.champion}, not {version}: {REPRO}")
    return candidate


def next_moment(current: Champion | None) -> datetime:
    """Now, and after every change of champion that is known: versions stay in order whatever the clock does."""
    known = [version.version for version in stored_versions()]
    if current:
        known.append(took_over_at(current))
    now = datetime.now(UTC).replace(microsecond=0)
    if known:
        now = max(now, datetime.strptime(max(known), ID_FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1))
    return now


def current_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
