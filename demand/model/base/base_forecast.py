"""The base forecast as one object: seasonal factors, and the kind of level that suits the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demand.model.base.factors import SEASON_NEEDS, Factors
from demand.model.base.level import RECENT, GlobalLevel, Level, level_at, pooled_level
from demand.model.base.seasonal_sums import SeasonalSums
from demand.panel.calendar import YEAR
from demand.panel.panel import Panel


@dataclass(frozen=True)
class BaseForecast:
    """Level x seasonal factor x growth. Trees then correct it; they never carry the level.

    Attributes:
        factors: the seasonal factors of the series that were fitted.
        weights: of the kinds of level (level.KINDS) that are averaged; they add up to 1.
    """

    factors: Factors
    weights: Mapping[str, float]

    @property
    def kind(self) -> str:
        """The kind of level with the largest weight."""
        return max(self.weights, key=lambda kind: self.weights[kind])

    def sums(self, panel: Panel) -> SeasonalSums:
        """The panel beside its seasonal factors."""
        return SeasonalSums(panel, self.factors.seasonal_factor(panel))

    def pooled(self, sums: SeasonalSums, origin: int) -> GlobalLevel:
        """What all series of the panel say together at a position on the time axis."""
        return pooled_level(self.factors, sums, origin)

    def at(self, sums: SeasonalSums, origin: int, pooled: GlobalLevel | None = None) -> Level:
        """The level of every series at a position on the time axis; see level_at."""
        return level_at(self.weights, self.factors, sums, origin, pooled)

    def units(self, sums: SeasonalSums, level: Level, origin: int, days: np.ndarray) -> np.ndarray:
        """(S, H) units per day, `days` (H,) after the origin."""
        return level.level[:, None] * sums.seasonal_factor[:, origin + days] * level.growth_factor(days)

    @property
    def history_needed(self) -> int:
        """Days before an origin from which its level can be judged."""
        return SEASON_NEEDS - YEAR // 2 if self.weights.get("structural", 0) > 0.5 else 2 * RECENT
