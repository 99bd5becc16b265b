"""The judgement under other thresholds, from the same measures: nothing is fitted, forecast or measured again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from bench.drift.champion import FIRST, Watched
from bench.drift.rates import weeks
from demand.drift.decision import judge_measures
from demand.drift.drift_params import DriftParams
from demand.drift.findings import drifted
from demand.drift.measures import measures
from demand.drift.monitor import Watch
from workspace.run.params_file import load_params

SWEPT = {
    "level_tolerance": (0.02, 0.05, 0.1, 0.15, 0.2),
    "mape_tolerance": (0.05, 0.1, 0.2, 0.4),
    "sigmas": (1.5, 2.0, 3.0, 4.0, 5.0, 6.0),
    "volume": (0.01, 0.02, 0.05, 0.1, 0.2),
}


@cache
def settings() -> list[tuple[str, float, DriftParams]]:
    """One threshold after the other moved from its default, the others left where they are."""
    rules = load_params(DriftParams)
    return [(name, value, rules.model_copy(update={name: value})) for name, values in SWEPT.items() for value in values]


def named() -> list[list[str | float]]:
    return [[name, value] for name, value, _ in settings()]


def on_day(watch: Watch, day: int) -> list[bool]:
    """Whether each setting confirms drift on this day since the training."""
    residuals = watch.residuals_on(day)
    measured = measures(residuals, watch.error_model)
    confirmed = {rules: drifted(judge_measures(measured, residuals, watch.error_model, rules))
                 for rules in {each for _, _, each in settings()}}
    return [confirmed[rules] for _, _, rules in settings()]


def any_day(watch: Watch, days: Iterable[int]) -> list[bool]:
    """Whether each setting confirms drift on any of the days."""
    return [any(said) for said in zip(*(on_day(watch, day) for day in days), strict=True)]


def quiet(watched: Watched) -> dict[str, list[int] | int]:
    """Weekly checks with an alarm per setting, every day looked at, and how many checks there are."""
    by_day = [on_day(watched.watch, day) for day in range(FIRST, watched.days + 1)]
    told = [weeks(list(said)) for said in zip(*by_day, strict=True)]
    return {"alarms": [sum(one) for one in told], "checks": len(told[0])}
