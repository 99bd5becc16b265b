"""A group test over many small segments: none is beyond the limit by itself, but too many are off in one direction."""

from __future__ import annotations

import numpy as np

from demand.drift.drift_params import DriftParams
from demand.drift.measures import LEVEL, Measure

GROUP_SIGMAS = 2.0  # standard deviations from which a segment counts in the group test
TAIL_PROBABILITY = 0.0228  # share of segments beyond them without drift


def group_test(measure: Measure, limit: np.ndarray, rules: DriftParams) -> np.ndarray:
    """(G,) bool: the segments beyond the limit in one direction, if their number exceeds Bernstein's bound; else none.

    A series that sells a few units a day is never far beyond sampling error by itself, but a tenth of all series on one side is.
    The bound on how many are there by chance holds at the odds of `sigmas`. Their expected sales must exceed `volume` as well.
    """
    expected, odds = measure.deviations.expected, rules.sigmas**2 / 2
    offset = odds / (3 * len(expected))
    bound = TAIL_PROBABILITY + offset + np.sqrt(offset**2 + 2 * odds * TAIL_PROBABILITY / len(expected))
    for side in (1, -1) if measure.what == LEVEL else (1,):
        beyond = side * measure.change >= limit
        if beyond.mean() >= bound and expected[beyond].sum() >= (TAIL_PROBABILITY + rules.volume) * expected.sum():
            return beyond
    return np.zeros(len(expected), bool)
