"""A group test over many small segments: none is beyond doubt, but too many are off on one side."""

from __future__ import annotations

import numpy as np

from demand.drift.drift_params import DriftParams
from demand.drift.measures import LEVEL, Measure

GROUP_SIGMAS = 2.0  # standard deviations from which a segment counts in the group test
TAIL_PROBABILITY = 0.0228  # share of segments beyond them when nothing has happened


def group_test(measure: Measure, limit: np.ndarray, rules: DriftParams) -> np.ndarray:
    """(G,) bool: the segments beyond the limit on one side, if they are more, and sell more, than chance puts there; else none.

    A series that sells a few units a day is never far beyond chance by itself. A tenth of all series on the same side of it are.
    How many of so many coins fall on one side by chance is Bernstein's inequality, at the odds of `sigmas`.
    """
    due, odds = measure.found.due, rules.sigmas**2 / 2
    most = odds / (3 * len(due))
    many = TAIL_PROBABILITY + most + np.sqrt(most**2 + 2 * odds * TAIL_PROBABILITY / len(due))
    for side in (1, -1) if measure.what == LEVEL else (1,):
        beyond = side * measure.change >= limit
        if beyond.mean() >= many and due[beyond].sum() >= (TAIL_PROBABILITY + rules.volume) * due.sum():
            return beyond
    return np.zeros(len(due), bool)
