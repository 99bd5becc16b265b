"""What the backtest, the drift stage and the forecast ask of a fitted model: nothing else of it matters to them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from demand.distribution.joint_error import JointError
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel


class Base(Protocol):
    """What the model corrects."""

    @property
    def kind(self) -> str:
        """Its name, for records."""


class FittedModel(Protocol):
    """A model that was fitted to a panel (demand/model/demand_model.py is one)."""

    @property
    def base(self) -> Base: ...

    @property
    def trained_through(self) -> np.datetime64:
        """The last day that the training saw."""

    @property
    def joint_error(self) -> JointError:
        """How its errors go together over days and series."""

    def predict(self, panel: Panel, origin: np.datetime64, horizon: int) -> Forecast:
        """Forecast the days after `origin` for every series of the panel; later sales in it are not looked at."""

    def importance(self) -> dict[str, float]:
        """Share of the gain per feature, largest first."""
