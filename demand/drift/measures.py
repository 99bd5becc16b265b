"""How far each segment is off, and by how much it would be off without drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals
from demand.backtest.segments import EVERYTHING, WEEKDAY, WINDOWS, Deviations, deviations_by_kind, windows

LEVEL, ERROR = "level", "error"
COMMON = (EVERYTHING, WEEKDAY)  # what all series do together: a backtest shows little of it, so its limit is one sigma higher
REVIEW = max(WINDOWS)  # days, up to the one on which the champion is judged


@dataclass(frozen=True)
class Measure:
    """How far the G segments of one kind are off, and by how much they would be off without drift.

    Attributes:
        kind, what, window: as in Finding.
        deviations: the segments.
        change: (G,) log of actual over expected; `size` is compared with a limit.
        sd: (G,) standard deviation of the change without drift.
    """

    kind: str
    what: str
    window: int
    deviations: Deviations
    change: np.ndarray
    sd: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """(G,) A level may be off in both directions; only a larger error is bad."""
        return np.abs(self.change) if self.what == LEVEL else self.change


def measures(residuals: Residuals, error_model: ErrorModel) -> list[Measure]:
    """Levels in every window; errors and weekdays in the longest only."""
    measured = []
    fitting = [window for window in windows(len(residuals.dates)) if window in error_model.spread]
    for window in fitting:
        last = residuals.days(len(residuals.dates) - window, len(residuals.dates))
        by_kind = deviations_by_kind(last, error_model.error_per_sd.mae, error_model.error_per_sd.mape)
        for kind, deviations in by_kind.items():
            spread = error_model.spread[window].get(kind)
            if spread is None or (kind == WEEKDAY and window < fitting[0]):
                continue
            sd = np.sqrt(spread.level**2 + deviations.level_variance)
            measured.append(Measure(kind, LEVEL, window, deviations, deviations.level, sd))
            if window == fitting[0]:
                sd = np.sqrt(spread.error**2 + deviations.error_variance)
                measured.append(Measure(kind, ERROR, window, deviations, deviations.log_error, sd))
    return measured
