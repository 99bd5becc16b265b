"""How far each segment is off, and by how much it would be if nothing had happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals
from demand.backtest.segments import EVERYTHING, WEEKDAY, WINDOWS, Deviations, deviations_by_kind, windows

LEVEL, ERROR = "level", "error"
COMMON = (EVERYTHING, WEEKDAY)  # what all series do together: a backtest shows little of it, so one sigma more is asked
REVIEW = max(WINDOWS)  # days, up to the one on which the champion is judged


@dataclass(frozen=True)
class Measure:
    """How far the G segments of one kind are off, and by how much they would be when nothing has happened.

    Attributes:
        kind, what, window: as in Finding.
        found: the segments.
        change: (G,) log of what came beside what was due; `size` is what is held against a limit.
        sd: (G,) standard deviation of it when nothing has happened.
    """

    kind: str
    what: str
    window: int
    found: Deviations
    change: np.ndarray
    sd: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """A level may be off to both sides, an error is wrong when it is large."""
        return np.abs(self.change) if self.what == LEVEL else self.change


def measures(seen: Residuals, normal: ErrorModel) -> list[Measure]:
    """By level in every window, by error and weekday in the longest."""
    made = []
    fitting = [window for window in windows(len(seen.dates)) if window in normal.spread]
    for window in fitting:
        last = seen.days(len(seen.dates) - window, len(seen.dates))
        for kind, found in deviations_by_kind(last, normal.error_per_sd.mae, normal.error_per_sd.mape).items():
            spread = normal.spread[window].get(kind)
            if spread is None or (kind == WEEKDAY and window < fitting[0]):
                continue
            sd = np.sqrt(spread.level**2 + found.level_chance)
            made.append(Measure(kind, LEVEL, window, found, found.level, sd))
            if window == fitting[0]:
                sd = np.sqrt(spread.error**2 + found.error_chance)
                made.append(Measure(kind, ERROR, window, found, found.log_error, sd))
    return made
