"""Seasonal factors per month, pulled to 1 as far as they were seen in few years, or differ between the years."""

from __future__ import annotations

import numpy as np

from demand.model.base.shrinkage import SMALLEST
from demand.panel.running_sums import ratio_of_sums

PRIOR_BETWEEN = 0.08**2  # variance of a month's log factor between years, where no month was seen twice
PRIOR_MONTHS = 4  # repeated months that it counts as


def seasonal_factors(sold: np.ndarray, due: np.ndarray, groups: list[np.ndarray],
                     pull: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Factors (12,) for all and (S, 12) for each series, mean 1.

    Args:
        sold, due: (S, Y, 12) what was sold, and what was expected without season, per series, year and month; both weighted
            so that the variance of `sold` is `due`.
        groups: (S,) codes of ever finer groups.
        pull: whether differences between years pull them to 1. Not while the trend is still being fitted: it would feed back.
    """
    everyone = np.zeros(len(sold), int)
    common = month_factors(sold, due, everyone, pull)[0]
    factor = np.broadcast_to(common, (len(sold), 12))
    for group in groups:
        if group.max() > 0:
            factor = factor * month_factors(sold, due * factor[:, None, :], group, pull)[group]
    return common / common.mean(), factor / factor.mean(axis=1, keepdims=True)


def month_factors(sold: np.ndarray, due: np.ndarray, group: np.ndarray, pull: bool) -> np.ndarray:
    """(G, 12) factors of each group; a year in which a month was seen is one observation."""
    shape = (group.max() + 1, *sold.shape[1:])
    total, expected = np.zeros(shape), np.zeros(shape)
    np.add.at(total, group, sold)
    np.add.at(expected, group, due)
    all_years = [values.sum(axis=1) for values in (total, expected)]
    logs = np.log(np.maximum(ratio_of_sums(*all_years), SMALLEST))
    seen = (total > 0) & (expected > 0)
    away = np.where(seen, np.log(np.where(seen, ratio_of_sums(total, expected), 1)) - logs[:, None, :], 0)
    chance = np.where(seen, 1 / np.where(seen, expected, 1), 0)
    weight = np.where(seen, 1 / (chance + PRIOR_BETWEEN), 0)
    freedom = weight * (1 - expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-9))
    excess = float((weight * away**2 - freedom * chance).sum())
    prior = PRIOR_MONTHS / PRIOR_BETWEEN
    between = max(excess + prior * PRIOR_BETWEEN, 0.0) / (float(freedom.sum()) + prior)
    if not pull:
        between = 0.0
    squares = (expected**2).sum(axis=1) / np.maximum(all_years[1], 1e-9) ** 2
    variance = np.where(all_years[1] > 0, between * squares + 1 / np.maximum(all_years[1], 1e-9), np.inf)
    known = np.isfinite(variance) & (all_years[0] > 0)
    if not known.any():
        return np.ones(logs.shape)
    precise = np.where(known, 1 / (variance + PRIOR_BETWEEN), 0)
    spread = max(float((precise * np.where(known, logs**2 - variance, 0)).sum() / precise.sum()), 0.0)
    return np.exp(np.where(known, logs * spread / (spread + np.where(known, variance, 1)), 0))
