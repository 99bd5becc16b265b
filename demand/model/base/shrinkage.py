"""Empirical Bayes (Efron & Morris 1973): ratios of sums, pulled towards 1 as far as sampling error explains them."""

from __future__ import annotations

import numpy as np

from demand.panel.running_sums import ratio_of_sums

SMALLEST = 1e-6  # factor: one of 0 could never grow again, and nothing can be divided by it


def hierarchical_factors(sold: np.ndarray, due: np.ndarray, groups: list[np.ndarray],
                         noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Factors (n,) for all and (S, n) for each series, from what was sold and what was due without them, both (S, n)."""
    common = np.maximum(ratio_of_sums(sold.sum(axis=0), due.sum(axis=0)), SMALLEST)
    factor = np.broadcast_to(common, sold.shape)
    for group in groups:
        n = group.max() + 1
        if n > 1:
            total, expected = np.zeros((n, sold.shape[1])), np.zeros((n, sold.shape[1]))
            np.add.at(total, group, sold)
            np.add.at(expected, group, due * factor)
            factor = factor * shrink(total, expected, noise)[group]
    return common / common.mean(), factor / factor.mean(axis=1, keepdims=True)


def shrink(sold: np.ndarray, due: np.ndarray, noise: float) -> np.ndarray:
    """sold / due, pulled towards 1 by empirical Bayes. `noise` is the variance of sales per unit of expected sales."""
    return shrink_with_spread(sold, due, noise, spread_beyond_chance(sold, due, noise))


def spread_beyond_chance(sold: np.ndarray, due: np.ndarray, noise: float) -> float:
    """Variance of log(sold / due) that the noise does not explain (method of moments), 0 or more."""
    seen = (due > 0) & (sold > 0)
    return max(float((np.log(sold[seen] / due[seen]) ** 2 - noise / due[seen]).mean()), 0.0) if seen.any() else 0.0


def shrink_with_spread(sold: np.ndarray, due: np.ndarray, noise: float, spread: float) -> np.ndarray:
    """sold / due, pulled towards 1 as far as a spread of that variance makes chance the better explanation."""
    seen = (due > 0) & (sold > 0)
    distance = np.log(np.divide(sold, due, out=np.ones_like(due), where=seen))
    chance = np.divide(noise, due, out=np.full_like(due, np.inf), where=seen)
    total = spread + chance  # 0 where sales are exactly what was due
    return np.exp(np.divide(distance * spread, total, out=np.zeros_like(distance), where=total > 0))
