"""The model that serves, loaded: by the one rule of demand/champion/serving_rule.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from demand.champion.champion_record import Champion
from demand.champion.serving_rule import who_serves
from demand.model.training_record import TrainingRecord
from demand.panel.training_window import FEWEST_DAYS
from demand.schema.errors import UserError
from demand.schema.json_record import parse_record
from workspace.registry.candidate import load_candidate
from workspace.registry.store import load_model, read_champion
from workspace.run import paths
from workspace.run.files import REPRO, read_json

if TYPE_CHECKING:
    from demand.model.demand_model import DemandModel


@dataclass(frozen=True)
class Serving:
    """The model that serves; `champion` is None where it is the candidate, and `reason` says why."""

    model: DemandModel
    champion: Champion | None
    reason: str

    @property
    def scored(self) -> bool:
        """Whether a backtest speaks for it: there is none of a history of less than FEWEST_DAYS."""
        if self.champion is not None:
            return self.champion.scored
        first, last = (date.fromisoformat(self.model.facts[name]) for name in ("trained_from", "trained_through"))
        return (last - first).days + 1 >= FEWEST_DAYS


def serving_model(newest: np.datetime64, known_future: Sequence[str], horizon: int | None = None) -> Serving:
    """The model that forecasts the days after `newest`.

    Args:
        newest: the newest day with sales.
        known_future: the data's known-future columns.
        horizon: days to forecast; None for those that the pipeline forecasts.

    Raises:
        UserError: neither champion nor candidate can, or their files are not those that are on record.
    """
    current = read_champion()
    champion, reason = who_serves(current, newest, known_future, horizon or pipeline_horizon(current))
    if champion is not None:
        return Serving(load_model(champion), champion, "")
    if not paths.MODEL.exists():
        raise UserError(f"{reason}, and there is no candidate, {paths.MODEL}: {REPRO}, or dvc pull")
    return Serving(load_candidate(), None, reason)


def pipeline_horizon(current: Champion | None) -> int:
    """Days that the pipeline forecasts: the candidate's, or the champion's where only that one is there (the API's image)."""
    if paths.MODEL.exists() and paths.TRAIN_METRICS.exists():
        return parse_record(TrainingRecord, read_json(paths.TRAIN_METRICS, REPRO), str(paths.TRAIN_METRICS), REPRO).horizon
    return current.horizon if current else 0
