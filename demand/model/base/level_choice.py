"""Which kind of level suits the data: a backtest of the base forecast inside the training window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demand.model.base.factors import SEASON_NEEDS, Factors
from demand.model.base.level import KINDS, RECENT, GlobalLevel, level_at, pooled_level
from demand.model.base.seasonal_sums import SeasonalSums

BLOCK = 28  # days over which forecasts are added up to judge their level
TESTS = 12  # origins of the inner backtest at most
TOLERANCE = 0.03  # a kind whose error is so much larger, relatively, weighs 1 / e of the best
SMALLEST_WEIGHT = 0.06
STEP = 28  # days between them


@dataclass(frozen=True)
class LevelTest:
    """One kind in the inner backtest: `error`, WAPE in % of four-week totals per series; `common`, rms log error of all sales."""

    error: float
    common: float
    origins: int


def inner_backtest(factors: Factors, sums: SeasonalSums, end: int, horizon: int) -> dict[str, LevelTest]:
    """How well each kind's level held over `horizon` days, at up to TESTS origins before position `end`.

    The factors are those of the whole window, for all kinds alike: what is compared is the level alone.
    """
    first = SEASON_NEEDS if end >= SEASON_NEEDS + horizon else RECENT
    pooled = {origin: pooled_level(factors, sums, origin) for origin in range(end - horizon, first - 1, -STEP)[:TESTS]}
    return {kind: test_level(kind, factors, sums, pooled, horizon) for kind in KINDS} if pooled else {}


def test_level(kind: str, factors: Factors, sums: SeasonalSums, pooled: Mapping[int, GlobalLevel], horizon: int) -> LevelTest:
    """Four-week totals of the base forecast against sales, on trading days, at origins with what all series say there."""
    missed = sold = 0.0
    common = []
    for origin, everyone in pooled.items():
        at = level_at({kind: 1.0}, factors, sums, origin, everyone)
        days = np.arange(1, horizon + 1)
        base = at.level[:, None] * sums.expected[:, origin + days] * at.growth_factor(days)
        actual = sums.sales[:, origin + days]
        blocks = range(0, max(horizon - BLOCK + 1, 1), BLOCK)
        missed += sum(np.abs(base[:, b:b + BLOCK].sum(axis=1) - actual[:, b:b + BLOCK].sum(axis=1)).sum() for b in blocks)
        sold += sum(actual[:, b:b + BLOCK].sum() for b in blocks)
        if base.sum() > 0 and actual.sum() > 0:
            common.append(float(np.log(actual.sum() / base.sum())))
    rms = float(np.sqrt(np.mean(np.square(common)))) if common else 0.0
    return LevelTest(100 * missed / max(sold, 1e-9), rms, len(pooled))


def level_weights(tests: dict[str, LevelTest]) -> dict[str, float]:
    """The weight of each kind in the average, from its error beside the best one's; small ones are left out."""
    if not tests:
        return {"level": 1.0}
    least = max(min(test.error for test in tests.values()), 1e-9)
    raw = {kind: float(np.exp(-(test.error / least - 1) / TOLERANCE)) for kind, test in tests.items()}
    total = sum(raw.values())
    kept = {kind: weight for kind, weight in raw.items() if weight / total > SMALLEST_WEIGHT}
    return {kind: float(np.float32(weight / sum(kept.values()))) for kind, weight in kept.items()}
