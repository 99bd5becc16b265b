"""Policies of retraining, replayed week by week: they differ in when a new champion is trained on all days so far.

Each week the champion forecasts the next 90 days from the newest sales, which is what users get; that forecast is scored once its
days have sales.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from demand.backtest.error_estimate import estimate_error_model
from demand.backtest.folds import actual_after, backtest, plan_backtest
from demand.backtest.scores import errors
from demand.backtest.segments import windows
from demand.champion.champion_record import METRIC, Champion
from demand.champion.comparison import scored, unseen_days
from demand.drift.findings import drifted
from demand.drift.measures import REVIEW
from demand.drift.monitor import Watch
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from workspace.run.all_params import Params

WEEK = 7  # days
TOO_EARLY = min(windows(REVIEW)) - 1  # days after the training, on which nobody can judge
SCORES = ("smape", "wape")


@dataclass
class Trainer:
    """Models by their last day of training. Each is fitted once, and costs every policy that asks for it the CPU it took."""

    panel: Panel
    settings: Params
    made: dict[np.datetime64, tuple[DemandModel, float]] = field(default_factory=dict)

    def __call__(self, day: np.datetime64) -> tuple[DemandModel, float]:
        if day not in self.made:
            began = time.process_time()
            model = DemandModel.fit(self.panel.through(day), self.settings.train, self.settings.forecast.horizon)
            self.made[day] = model, time.process_time() - began
        return self.made[day]


@dataclass
class Gate:
    """The drift stage, every week: does any day since the last check confirm drift? Judges the champion of its policy."""

    panel: Panel
    settings: Params
    watch: Watch
    checked: int = TOO_EARLY  # days since the training that need no look any more

    @classmethod
    def of(cls, panel: Panel, settings: Params, model: DemandModel) -> Gate:
        """For a new champion: what is normal for it comes from its backtest, as the evaluate stage makes it."""
        history, horizon = panel.through(model.trained_through), settings.forecast.horizon
        at = plan_backtest(history, settings.evaluate.origins, settings.evaluate.step_days, horizon).origins
        fit = partial(DemandModel.fit, train=settings.train, horizon=horizon)
        normal = estimate_error_model(backtest(history, fit, at, horizon), history)
        return cls(panel, settings, Watch(panel, model, horizon, normal, settings.drift))

    def drifted(self, day: np.datetime64) -> bool:
        newest = int((day - self.watch.model.trained_through).astype(int))
        found = any(drifted(self.watch.findings_on(one)) for one in range(self.checked + 1, newest + 1))
        self.checked = max(self.checked, newest)
        return found

    def promotes(self, candidate: DemandModel, trainer: Trainer) -> bool:
        """The project's rule: at origins that the champion never saw, its own forecast against the candidate's configuration.

        At the common origins both have the same configuration, so the same error.
        """
        history, horizon = self.panel.through(candidate.trained_through), self.settings.forecast.horizon
        at = plan_backtest(history, self.settings.evaluate.origins, self.settings.evaluate.step_days, horizon).origins
        champion = self.watch.model
        of = Champion(version="19700101T000000Z", model="", sha256="0" * 64, train={}, horizon=horizon, baseline={},
                               trained_through=champion.trained_through.astype(object), known_future=history.known_names,
                               promoted_at="", promoted_by="", reason="", previous=None)
        pairs = [(scored(history, origin, days, trainer(origin)[0]), scored(history, origin, days, champion))
                 for origin, days in unseen_days(history, at, horizon, of).items()]
        ours, theirs = (sum(scores[METRIC] for scores in side) for side in zip(*pairs, strict=True)) if pairs else (0, 0)
        return bool(ours <= theirs * (1 + self.settings.promote.tolerance))


@dataclass
class Policy:
    """Who serves, and what that has cost: trainings and refused candidates (their days), CPU seconds.

    Attributes:
        due: whether to train on a day.
        gate: of the policy that has one; a new champion gets a new one.
    """

    name: str
    model: DemandModel
    due: Callable[[np.datetime64], bool]
    gate: Gate | None = None
    trained: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    training_seconds: float = 0.0
    judging_seconds: float = 0.0
    scores: list[dict[str, float]] = field(default_factory=list)


def replay(trainer: Trainer, first: np.datetime64, said: Callable[[str], None]) -> list[Policy]:
    """The policies after all weeks from `first` on, as long as the horizon's days are there."""
    panel, settings = trainer.panel, trainer.settings
    horizon = settings.forecast.horizon
    weeks = np.arange(first, panel.last_day - horizon + 1, WEEK)
    start, _ = trainer(first)
    gate = Gate.of(panel, settings, start)
    policies = [Policy("never", start, lambda _: False), Policy("on drift", start, gate.drifted, gate),
                Policy("monthly", start, lambda day: bool(day > first) and new_month(day)),
                Policy("weekly", start, lambda day: bool(day > first))]
    for number, day in enumerate(weeks):
        history = panel.through(day)
        actual, made = actual_after(panel, history, day, horizon), {}
        for policy in policies:
            began = time.process_time()
            due = policy.due(day)
            policy.judging_seconds += time.process_time() - began
            if due:
                train(policy, day, trainer)
            key = policy.model.trained_through
            if key not in made:
                made[key] = errors(actual, policy.model.predict(history, day, horizon).point)
            policy.scores.append({name: made[key][name] for name in SCORES})
        if number % 4 == 0:
            said(f"{day}: " + ", ".join(f"{policy.name} {policy.scores[-1]['smape']:.2f}" for policy in policies))
    return policies


def train(policy: Policy, day: np.datetime64, trainer: Trainer) -> None:
    """A new champion; behind the gate only if the project's rule lets it through."""
    model, seconds = trainer(day)
    policy.training_seconds += seconds
    policy.trained.append(str(day))
    if policy.gate is not None:
        if not policy.gate.promotes(model, trainer):
            policy.refused.append(str(day))
            return
        policy.gate = Gate.of(policy.gate.panel, policy.gate.settings, model)
        policy.due = policy.gate.drifted
    policy.model = model


def new_month(day: np.datetime64) -> bool:
    """Whether the month began since the week before."""
    return bool((day - WEEK).astype("M8[M]") != day.astype("M8[M]"))
