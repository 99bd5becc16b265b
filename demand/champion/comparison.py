"""The candidate compared with the champion, on days that neither of the compared fits had seen.

A model cannot be scored at an origin before its last day of training, so at the origins of the backtest
configurations are compared, each fitted there. At origins that the champion never saw, it forecasts itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from demand.backtest.fold_scores import SCORES, fold_scores, means
from demand.backtest.folds import backtest, can_be_scored, fold_of
from demand.champion.champion_record import METRIC, Champion
from demand.champion.serving_rule import why_it_cannot_forecast
from demand.model.trees.train_params import TrainParams
from demand.panel.fitted_model import FittedModel
from demand.panel.panel import Panel

FEWEST = 28  # days after the champion's training that say something about it


def champion_configuration(train: TrainParams, champion: Champion) -> TrainParams:
    """The champion's train section; keys that are newer than the champion as the candidate has them."""
    known = {key: value for key, value in champion.train.items() if key in TrainParams.model_fields}
    return TrainParams.model_validate(train.model_dump() | known)


def unseen_days(panel: Panel, at: Sequence[np.datetime64], horizon: int, champion: Champion) -> dict[np.datetime64, int]:
    """Origins at which the champion itself can be scored, and on how many days: the backtest's origins after its training, else
    the newest possible one; none while fewer than FEWEST days are new, or it cannot forecast (why_it_cannot_forecast).
    """
    trained_through, longest = np.datetime64(champion.trained_through, "D"), min(horizon, champion.horizon)
    new = int((panel.last_day - trained_through).astype(int))
    if new < FEWEST or why_it_cannot_forecast(champion, panel.last_day, panel.known_names):
        return {}
    days = min(new, longest)
    chosen = {origin: longest for origin in at if origin >= trained_through} or {panel.last_day - days: days}
    return {origin: days for origin, days in chosen.items() if can_be_scored(panel, origin, days)}


def compare_with_champion(
    panel: Panel, evaluated: dict[str, Any], train: TrainParams, horizon: int, champion: Champion,
    fit: Callable[[Panel, TrainParams, int], FittedModel], load_model: Callable[[Champion], FittedModel],
    progress: Callable[[Sequence[np.datetime64]], Iterable[np.datetime64]] = iter,
) -> dict[str, Any]:
    """`champion_scores` and `unseen` of ComparisonRecord. What the backtest has scored already is not scored again.

    Args:
        panel: the training window.
        evaluated: the candidate's evaluation record (metrics/evaluate.json).
        train: the candidate's settings.
        horizon: days of its backtest.
        fit: makes a model of a panel, with settings and for a horizon.
        load_model: reads a champion's model; called where there are days that it has not seen.
        progress: passes the origins on, one by one.
    """
    backtested = {np.datetime64(fold["origin"], "D"): numbers(fold) for fold in evaluated["per_origin"]}
    if not backtested:
        return {"champion_scores": {}, "unseen": {}}
    theirs = champion_configuration(train, champion)
    scores = evaluated
    if theirs != train:
        folds = backtest(panel, lambda history: fit(history, theirs, horizon), list(backtested), horizon, progress)
        scores = means([fold_scores(fold) for fold in folds])
    unseen = {}
    for origin, days in unseen_days(panel, list(backtested), horizon, champion).items():
        candidate = backtested.get(origin) if days == horizon else None
        unseen[str(origin)] = {
            "candidate": candidate or scored(panel, origin, days, fit(panel.through(origin), train, horizon)),
            "champion": scored(panel, origin, days, load_model(champion))}
    return {"champion_scores": numbers(scores), "unseen": unseen}


def scored(panel: Panel, origin: np.datetime64, days: int, model: FittedModel) -> dict[str, float]:
    """The model's scores on so many days after an origin."""
    return numbers(fold_scores(fold_of(panel, panel.through(origin), origin, days, model)))


def numbers(scores: dict[str, Any]) -> dict[str, float]:
    """The scores among the metrics of a backtest; those without a value are left out."""
    return {name: value for name, value in scores.items()
            if name in SCORES and isinstance(value, int | float) and math.isfinite(value)}


def comparison_message(score: float | None, ratio: float | None, champion: Champion | None) -> str:
    """The result of the comparison, in a line."""
    if champion is None:
        return "no champion to compare with"
    if score is None:
        return f"unscored: nothing to compare with champion {champion.version} by"
    return f"{METRIC} {score}, " + (f"{ratio:.4f} of the champion's" if ratio is not None else "the champion's is 0")
