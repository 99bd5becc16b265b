"""The base forecast: level x weekday x month x damped growth. Trees then correct it; they never carry the level.

Ways to a level, which a backtest inside the training data weighs:

* `structural`: the mean of a whole year, in which the season cancels; all series move together but for what is more than
  chance; half of last year's growth goes on. Right where series are steady.
* `level`: each series' own mean of the last eight weeks. Right where levels shift.
* `wandering_...`: what a series sold lately counts as far as levels keep; its peers where it is young (wandering_level.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from demand.model.base.factors import Factors
from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.base.shrinkage import shrink_with_spread, spread_beyond_chance
from demand.model.base.wandering_level import AHEAD, PooledPath, pooled_path, wandering_levels
from demand.panel.calendar import YEAR
from demand.panel.running_sums import ratio_of_sums

WANDERING = {  # v, the variance of a level around its long mean, and tau, the days over which it keeps
    "wandering_002_365": (0.002, 365.0), "wandering_01_365": (0.01, 365.0), "wandering_04_60": (0.04, 60.0),
    "wandering_06_240": (0.06, 240.0), "wandering_25_60": (0.25, 60.0), "wandering_25_240": (0.25, 240.0)}
KINDS = ("structural", "level", *WANDERING)
DAMPING = 0.5  # share of last year's growth that is expected to go on
FASTEST = 0.25  # log units per year: more than that is no growth that goes on
RECENT = 56  # days: whole weeks, and whole two-week rhythms of promotions


@dataclass(frozen=True)
class Level:
    """(S,) units per day of each series at an origin; `growth` per year, from `age` days before the origin on."""

    level: np.ndarray
    growth: float
    age: int

    def growth_factor(self, horizon: np.ndarray | int) -> np.ndarray:
        """Growth from the level's own time to `horizon` days after the origin."""
        return np.exp(self.growth * (self.age + horizon) / 365.25)


@dataclass(frozen=True)
class GlobalLevel:
    """What all series of a panel say together at an origin, about the year before it.

    Attributes:
        common: sales per what the factors' scale made due.
        growth: log units per year, over the year before that.
        spread: variance of the series' own log ratios around the common one, beyond chance.
        path, ahead, pace: how all series moved (wandering_level.PooledPath).
    """

    common: float
    growth: float
    spread: float
    path: tuple[float, ...] = ()
    ahead: float = 1.0
    pace: float = 0.0


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
    return float(np.clip(np.log(rates[0] / rates[1]), -FASTEST, FASTEST))


def annual_level(pooled: GlobalLevel, factors: Factors, sums: SeasonalSums, origin: int) -> np.ndarray:
    """(S,) level, units per day in the middle of the year before the origin; NaN for series without sales in it.

    The levels of all series move together but for what is more than chance; a series that was not fitted stands alone.
    """
    sold, shaped = sums.between(origin + 1 - YEAR, origin + 1)
    expected = pooled.common * factors.scale_of(sums.panel) * shaped
    own, together = ratio_of_sums(sold, shaped, otherwise=np.nan), ratio_of_sums(expected, shaped, otherwise=0.0)
    return np.where(expected > 0, together * shrink_with_spread(sold, expected, factors.noise, pooled.spread), own)


def pooled_level(factors: Factors, sums: SeasonalSums, origin: int) -> GlobalLevel:
    """What all series say together, at a position on the time axis, for every kind of level."""
    pooled = global_level(factors, sums, origin)
    if not len(factors.exposure):  # a model of format 1 has no wandering level
        return pooled
    path = pooled_path(factors, sums, origin)
    return replace(pooled, path=path.path, ahead=path.ahead, pace=path.growth)


def level_at(weights: Mapping[str, float], factors: Factors, sums: SeasonalSums, origin: int,
             pooled: GlobalLevel | None = None) -> Level:
    """The level of every series of the panel at a position on the time axis; nothing after it is looked at.

    Args:
        weights: of the kinds of level that are averaged; they add up to 1.
        pooled: what the whole panel says (pooled_level), for when the panel holds only some of its series.
    """
    pooled = pooled or pooled_level(factors, sums, origin)
    wandering = [WANDERING[kind] for kind in weights if kind in WANDERING]
    path = PooledPath(pooled.path, pooled.ahead, pooled.pace)
    levels = iter(wandering_levels(factors, sums, origin, wandering, path) if wandering else ())
    members = [Level(next(levels), DAMPING * path.growth, -AHEAD) if kind in WANDERING
               else plain_level(kind, factors, sums, origin, pooled) for kind in weights]
    if len(members) == 1:
        return members[0]
    share = list(weights.values())
    level = sum(w * at.level * at.growth_factor(0) for w, at in zip(share, members, strict=True))
    return Level(level, sum(w * at.growth for w, at in zip(share, members, strict=True)), 0)


def plain_level(kind: str, factors: Factors, sums: SeasonalSums, origin: int, pooled: GlobalLevel) -> Level:
    """The level of a kind that is a mean over a span of days; see level_at."""
    everyone = np.arange(len(sums.sales))
    end = np.full(len(everyone), origin + 1)
    recent, year, ever = (sums.level_before(everyone, end, width, end) for width in (RECENT, YEAR, sums.days))
    fallback = np.nan_to_num(np.where(np.isnan(year), ever, year))
    if kind == "level":
        return Level(np.where(np.isnan(recent), fallback, recent), 0.0, 0)
    steady = annual_level(pooled, factors, sums, origin)
    return Level(np.where(np.isnan(steady), fallback, steady), DAMPING * pooled.growth, YEAR // 2)
