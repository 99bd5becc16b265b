"""Scores by speed and age, beside what sold and beside the true mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from bench.field.metrics import Answer, point_errors

SPEEDS = (0.0, 0.3, 1.0, 3.0, 10.0, np.inf)  # units per day on sale, by the true mean
AGES = (0, 57, 183, 366, np.inf)  # days since the first row


@dataclass(frozen=True)
class Outcome:
    """S series on the H days after an origin.

    Attributes:
        actual: (S, H) units sold.
        expected: (S, H) true mean, 0 off sale.
        age: (S,) days since the first row. sold: (S,) bool, a sale up to the origin.
        returns: (S,) bool, off sale at the origin and back within the days.
    """

    actual: np.ndarray
    expected: np.ndarray
    age: np.ndarray
    sold: np.ndarray
    returns: np.ndarray


def groups_of(outcome: Outcome) -> dict[str, np.ndarray]:
    """(S,) bool by name: all series that are on sale on some day, then by speed, by age and by state."""
    days = (outcome.expected > 0).sum(axis=1)
    on, speed = days > 0, outcome.expected.sum(axis=1) / np.maximum(days, 1)
    groups = {"all": on}
    for low, high in pairwise(SPEEDS):
        words = f"speed {low:g} to {high:g}" if np.isfinite(high) else f"speed above {low:g}"
        groups[words] = on & (speed >= low) & (speed < high)
    for low, high in pairwise(AGES):
        words = f"age {low} to {high - 1:g} days" if np.isfinite(high) else f"age {low} days and more"
        groups[words] = on & (outcome.age >= low) & (outcome.age < high)
    return groups | {"never sold before": on & ~outcome.sold, "back from out of stock": outcome.returns}


def group_scores(outcomes: Sequence[Outcome], answers: dict[str, Answer]) -> dict[str, Any]:
    """Series and each method's scores by group: wape_totals, bias, to_the_mean; for `all` ended_units as well. All in %.

    Args:
        answers: forecasts of the outcomes' series, one below the other.
    """
    outcome = Outcome(*(np.concatenate([getattr(each, field.name) for each in outcomes]) for field in fields(Outcome)))
    units = max(float(outcome.actual.sum()), 1e-9)
    off = (outcome.expected == 0).all(axis=1)
    scores: dict[str, Any] = {}
    for name, rows in groups_of(outcome).items():
        methods = {method: scores_of(outcome, answer, rows) for method, answer in answers.items()}
        scores[name] = {"series": int(rows.sum()), "methods": methods}
    for method, answer in answers.items():
        scores["all"]["methods"][method]["ended_units"] = 100 * float(answer.point[off].sum()) / units
    return scores


def scores_of(outcome: Outcome, answer: Answer, rows: np.ndarray) -> dict[str, float]:
    """One method on the series `rows` (S,) bool; nothing where none of them sold."""
    actual, expected, point = outcome.actual[rows], outcome.expected[rows], answer.point[rows].astype("f8")
    if not actual.sum() > 0:
        return {}
    errors = point_errors(actual, point)
    on = expected > 0
    return {"wape_totals": errors["wape_totals"], "bias": errors["bias"],
            "to_the_mean": 100 * float(np.abs(point - expected)[on].sum() / expected[on].sum())}
