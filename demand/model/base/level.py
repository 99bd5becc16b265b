"""The base forecast: level x weekday x month x damped growth. Trees then correct it; they never carry the level.

Two ways to a level, the better of which is found by a backtest inside the training data:

* `structural`: the mean of a whole year, in which the season cancels; all series move together but for what is more than
  chance; half of last year's growth goes on. Right where series are steady.
* `level`: each series' own mean of the last eight weeks. Right where levels shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.model.base.factors import Factors
from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.base.shrinkage import shrink_with_spread, spread_beyond_chance
from demand.panel.calendar import YEAR
from demand.panel.running_sums import ratio_of_sums

KINDS = ("structural", "level")
DAMPING = 0.5  # share of last year's growth that is expected to go on
RECENT = 56  # days: whole weeks, and whole two-week rhythms of promotions


@dataclass(frozen=True)
class Level:
    """(S,) units per day of each series at an origin; `growth` per year, from `age` days before the origin on."""

    level: np.ndarray
    growth: float
    age: int

    def growth_factor(self, horizon: np.ndarray) -> np.ndarray:
        """Growth from the level's own time to `horizon` days after the origin."""
        return np.exp(self.growth * (self.age + horizon) / 365.25)


@dataclass(frozen=True)
class GlobalLevel:
    """What all series of a panel say together at an origin, about the year before it.

    Attributes:
        common: sales per what the factors' scale made due.
        growth: log units per year, over the year before that.
        spread: variance of the series' own log ratios around the common one, beyond chance.
    """

    common: float
    growth: float
    spread: float


def global_level(factors: Factors, sums: SeasonalSums, origin: int) -> GlobalLevel:
    """Look at all series of the panel, up to a position on its time axis."""
    sold, shaped = sums.between(origin + 1 - YEAR, origin + 1)
    due = factors.scale_of(sums.panel) * shaped
    common = float(sold[due > 0].sum() / max(due.sum(), 1e-9))
    return GlobalLevel(common, log_growth(sums, origin), spread_beyond_chance(sold, common * due, factors.noise))


def log_growth(sums: SeasonalSums, origin: int) -> float:
    """Log growth of the last year over the one before, of the series that traded in both; 0 with less than a quarter of it."""
    start = max(origin + 1 - 2 * YEAR, 0)
    length = origin + 1 - YEAR - start
    if length < YEAR // 4:
        return 0.0
    now, then = sums.between(start + YEAR, origin + 1), sums.between(start, start + length)  # the same part of the year in both
    both = (now[0] > 0) & (then[0] > 0) & (now[1] > 0) & (then[1] > 0)
    rates = [sold[both].sum() / shaped[both].sum() for sold, shaped in (now, then)] if both.any() else [1.0, 1.0]
    return float(np.log(rates[0] / rates[1]))


def annual_level(pooled: GlobalLevel, factors: Factors, sums: SeasonalSums, origin: int) -> np.ndarray:
    """(S,) level, units per day in the middle of the year before the origin; NaN for series without sales in it.

    The levels of all series move together but for what is more than chance; a series that was not fitted stands alone.
    """
    sold, shaped = sums.between(origin + 1 - YEAR, origin + 1)
    expected = pooled.common * factors.scale_of(sums.panel) * shaped
    own, together = ratio_of_sums(sold, shaped, otherwise=np.nan), ratio_of_sums(expected, shaped, otherwise=0.0)
    return np.where(expected > 0, together * shrink_with_spread(sold, expected, factors.noise, pooled.spread), own)


def level_at(kind: str, factors: Factors, sums: SeasonalSums, origin: int, pooled: GlobalLevel | None = None) -> Level:
    """The level of every series of the panel at a position on its time axis; nothing after it is looked at.

    `pooled` is what the whole panel says, for when the panel holds only some of its series.
    """
    everyone = np.arange(len(sums.sales))
    end = np.full(len(everyone), origin + 1)
    recent, year, ever = (sums.level_before(everyone, end, width, end) for width in (RECENT, YEAR, sums.days))
    fallback = np.nan_to_num(np.where(np.isnan(year), ever, year))
    if kind == "level":
        return Level(np.where(np.isnan(recent), fallback, recent), 0.0, 0)
    pooled = pooled or global_level(factors, sums, origin)
    steady = annual_level(pooled, factors, sums, origin)
    return Level(np.where(np.isnan(steady), fallback, steady), DAMPING * pooled.growth, YEAR // 2)
