"""The forecast: what a model says of the days after an origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = (80, 95)  # nominal coverage of the prediction intervals, %


@dataclass(frozen=True)
class Forecast:
    """S series on H days after the origin, in the panel's order; units per day, float32, all >= 0.

    Attributes:
        origin: the last day whose sales were known.
        point: (S, H) the expected sales, 0 where the day is more likely closed than open. It adds up over days and series.
        low, high: (S, H) by LEVELS, ends of the prediction intervals.
    """

    origin: np.datetime64
    point: np.ndarray
    low: dict[int, np.ndarray]
    high: dict[int, np.ndarray]
