"""The base forecast as one object: seasonal factors, and the kind of level that suits the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.model.base.factors import SEASON_NEEDS, Factors
from demand.model.base.level import RECENT, GlobalLevel, Level, level_at
from demand.model.base.seasonal_sums import SeasonalSums
from demand.panel.calendar import YEAR
from demand.panel.panel import Panel


@dataclass(frozen=True)
class BaseForecast:
    """Level x seasonal factor x growth. Trees then correct it; they never carry the level.

    Attributes:
        factors: the seasonal factors of the series that were fitted.
        kind: one of level.KINDS.
    """

    factors: Factors
    kind: str

    def sums(self, panel: Panel) -> SeasonalSums:
        """The panel beside its seasonal factors."""
        return SeasonalSums(panel, self.factors.seasonal_factor(panel))

    def at(self, sums: SeasonalSums, origin: int, pooled: GlobalLevel | None = None) -> Level:
        """The level of every series at a position on the time axis; see level_at."""
        return level_at(self.kind, self.factors, sums, origin, pooled)

    def units(self, sums: SeasonalSums, level: Level, origin: int, days: np.ndarray) -> np.ndarray:
        """(S, H) units per day, `days` (H,) after the origin."""
        return level.level[:, None] * sums.seasonal_factor[:, origin + days] * level.growth_factor(days)

    @property
    def history_needed(self) -> int:
        """Days before an origin from which its level can be judged."""
        return SEASON_NEEDS - YEAR // 2 if self.kind == "structural" else 2 * RECENT
