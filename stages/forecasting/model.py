"""The demand model: fitted on a window of the panel, forecasts any origin that it is shown. (Interface; the method follows.)"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.forecasting.panel import Panel
from stages.forecasting.params import Train


@dataclass(frozen=True)
class Forecast:
    """S series × H days after the origin, in the panel's order; units per day, float32, all >= 0.

    Attributes:
        origin: the last day whose sales were known.
        point: (S, H) the median.
        low, high: {80: (S, H), 95: (S, H)} ends of the prediction intervals.
    """

    origin: np.datetime64
    point: np.ndarray
    low: dict[int, np.ndarray]
    high: dict[int, np.ndarray]


class DemandModel:
    """A fitted model. Pickles through its own bytes, which are the same on every run and with any number of threads."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    @property
    def trained_through(self) -> np.datetime64:
        """The last day that the training saw."""
        return np.datetime64(self.facts["trained_through"])

    @property
    def base(self) -> str:
        """What was chosen for `train.base`."""
        return str(self.facts["base"])

    @classmethod
    def fit(cls, panel: Panel, train: Train, horizon: int) -> DemandModel:
        """Fit to all sales in the panel (with state), for horizons of 1 to `horizon` days."""
        return cls({"trained_through": str(panel.last_day), "base": "level", "horizon": horizon, "train": train.model_dump(), "report": {}})

    def predict(self, panel: Panel, origin: np.datetime64, horizon: int) -> Forecast:
        """Forecast the days after `origin` for every series of the panel (with state); later sales in it are not looked at."""
        o = panel.column(origin)
        when = np.clip(o + 1 + np.arange(horizon) - 364, 0, o)
        point = np.nan_to_num(panel.sales[:, when])
        spread = 1.3 * np.sqrt(point) + 1
        return Forecast(origin, point, {80: np.maximum(point - spread, 0), 95: np.maximum(point - 1.6 * spread, 0)},
                        {80: point + spread, 95: point + 1.6 * spread})

    def to_bytes(self) -> bytes:
        """The whole model in a canonical form."""
        return json.dumps(self.facts, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> DemandModel:
        """The inverse of to_bytes."""
        return cls(json.loads(content))

    def __reduce__(self) -> tuple[Any, ...]:
        return DemandModel.from_bytes, (self.to_bytes(),)
