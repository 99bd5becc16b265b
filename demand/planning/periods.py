"""Days, ISO weeks and calendar months of a span; the first and the last may be cut off by it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from demand.panel.calendar import weekdays

Step: TypeAlias = Literal["day", "week", "month"]


def period_starts(dates: np.ndarray, step: Step | None) -> np.ndarray:
    """(P,) position of each period's first day in consecutive dates (D,) datetime64[D]; without a step all are one period.

    Weeks begin on Mondays (ISO 8601), months on their first day.
    """
    if step == "day":
        return np.arange(len(dates))
    begins = np.zeros(len(dates), bool)
    if step == "week":
        begins = weekdays(dates) == 0
    elif step == "month":
        begins = dates == dates.astype("M8[M]")
    return np.flatnonzero(begins | (np.arange(len(dates)) == 0))
