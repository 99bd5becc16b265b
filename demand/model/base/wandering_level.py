"""A level that wanders: what a series sold lately counts as far as levels keep, what its peers sell where it is young.

Sales of a series over a block of days, divided by what its scale, its season and the pooled path of all series make expected,
are 1 + x(t) + noise. x is Gaussian with covariance FLAT + v exp(-|gap| / tau): a constant, which nobody knows beforehand, and a
level that wanders. The noise of a block has variance dispersion / expected sales. The peers (Factors.peers) are one more
observation, which shares the constant only. So the level is one linear solve per series (kriging; Rasmussen & Williams 2006,
section 2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from demand.model.base.factors import Factors
from demand.model.base.seasonal_sums import SeasonalSums
from demand.panel.running_sums import ratio_of_sums

BLOCKS = np.r_[np.full(13, 28), np.full(8, 91)]  # days, the newest first: a year of four weeks, two years of quarters
AGES = np.cumsum(BLOCKS) - BLOCKS / 2  # days from their middles to the origin
FLAT = 4.0  # variance of the constant: next to no prior
AHEAD = 14  # days after the origin for which the level is given
YEARLY = 0.08**2  # variance of the growth of all series, log units per year
COMMON = (0.03**2, 180.0)  # v and tau of the pooled path
TOGETHER = 0.06  # variance of a series' own level around the path
SEASONAL_ERROR = 0.02**2  # variance of a block's seasonal factor
LOWEST = 0.02  # of the scale: no level is lower


@dataclass(frozen=True)
class PooledPath:
    """How all series moved together: `path` (K,) per block, `ahead` AHEAD days after the origin, `growth` log units per year."""

    path: tuple[float, ...]
    ahead: float
    growth: float


def covariance(first: np.ndarray, second: np.ndarray, v: float, tau: float) -> np.ndarray:
    """Of the wandering part at two sets of ages, days: (K, L)."""
    return v * np.exp(-np.abs(first[:, None] - second[None, :]) / tau)


def block_sums(sums: SeasonalSums, origin: int) -> tuple[np.ndarray, np.ndarray]:
    """(S, K) sales, and sums of the seasonal factor, of the blocks before an origin."""
    ends = origin + 1 - np.r_[0, np.cumsum(BLOCKS)]
    parts = [sums.between(int(start), int(stop)) for stop, start in pairwise(ends)]
    return np.stack([sold for sold, _ in parts], axis=1), np.stack([shaped for _, shaped in parts], axis=1)


def pooled_path(factors: Factors, sums: SeasonalSums, origin: int) -> PooledPath:
    """The path of all series of the panel up to an origin; a series weighs by the precision of its sales."""
    sold, shaped = block_sums(sums, origin)
    scale, _, dispersion = factors.references(sums.panel)
    weight = 1 / np.maximum(dispersion, 1e-9)
    due = scale[:, None] * shaped
    total = (weight[:, None] * due).sum(axis=0)
    seen = total > 1e-9
    if not (weight[:, None] * sold * seen).any():
        return PooledPath((1.0,) * len(BLOCKS), 1.0, 0.0)
    ratio = (weight[:, None] * sold).sum(axis=0)[seen] / total[seen]
    share = weight[:, None] * due[:, seen] / total[seen]
    noise = share.sum(axis=0) / total[seen] + TOGETHER * (share**2).sum(axis=0)
    ages, level = AGES[seen], np.average(ratio, weights=total[seen])
    years = -ages / 365.25

    def shared(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        return FLAT + YEARLY * np.outer(-one / 365.25, -two / 365.25) + covariance(one, two, *COMMON)

    solved = np.linalg.solve(shared(ages, ages) + np.diag(noise + SEASONAL_ERROR), ratio / level - 1)
    path = level * np.maximum(1 + shared(AGES, ages) @ solved, LOWEST)
    ahead = level * max(float((1 + shared(np.array([-AHEAD]), ages) @ solved)[0]), LOWEST)
    return PooledPath(tuple(path.astype("f4").tolist()), float(np.float32(ahead)), float(np.float32(YEARLY * years @ solved)))


def wandering_levels(factors: Factors, sums: SeasonalSums, origin: int, pairs: Sequence[tuple[float, float]],
                     pooled: PooledPath) -> list[np.ndarray]:
    """(S,) units per day of every series of the panel, AHEAD days after an origin, for each pair of v and tau."""
    sold, shaped = block_sums(sums, origin)
    scale, peers, dispersion = factors.references(sums.panel)
    due = scale[:, None] * shaped * np.array(pooled.path)
    seen = due > 1e-6
    noise = np.where(seen, dispersion[:, None] / np.where(seen, due, 1), 1e6)
    noise = np.c_[noise, factors.peers.spread * np.maximum(peers / scale, 1) ** 2]
    target = np.c_[ratio_of_sums(sold, due) - 1, ratio_of_sums(peers, scale) - 1]
    index, k = np.arange(len(BLOCKS) + 1), len(BLOCKS)
    levels = []
    for v, tau in pairs:
        matrix = np.full((len(scale), k + 1, k + 1), FLAT)
        matrix[:, :k, :k] += covariance(AGES, AGES, v, tau)
        matrix[:, index, index] += noise
        ahead = FLAT + np.r_[covariance(np.array([-AHEAD]), AGES, v, tau)[0], 0]
        level = 1 + (ahead * np.linalg.solve(matrix, target[:, :, None])[:, :, 0]).sum(axis=1)
        levels.append(scale * pooled.ahead * np.maximum(level, LOWEST))
    return levels
