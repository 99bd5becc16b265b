"""The forecast: what a model says of the days after an origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Forecast:
    """S series on H days after the origin, in the panel's order; units per day, float32, all >= 0.

    Attributes:
        origin: the last day whose sales were known.
        point: (S, H) the expected sales, 0 where the day is more likely closed than open. It adds up over days and series.
        low, high: {80: (S, H), 95: (S, H)} ends of the prediction intervals.
    """

    origin: np.datetime64
    point: np.ndarray
    low: dict[int, np.ndarray]
    high: dict[int, np.ndarray]
