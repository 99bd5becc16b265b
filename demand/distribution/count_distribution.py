"""Sales in whole units: the negative binomial distribution around a mean, on the scale of a standard normal.

Up to SMALL_MEAN it is added up term by term; above, it is a gamma distribution with a continuity correction, whose cube root is
nearly normal (Wilson & Hilferty 1931).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

SMALL_MEAN = 20.0  # units per day
MOST_TERMS = 2000
EXTREME = 6.0  # standard deviations: outcomes beyond count as so many
CDF = np.vectorize(NormalDist().cdf, otypes=[float])
QUANTILE = np.vectorize(NormalDist().inv_cdf, otypes=[float])


def size(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The parameter r of the negative binomial; a variance below the mean is taken as the mean: Poisson."""
    return mean**2 / np.maximum(variance - mean, 1e-6 * mean)


def normal_scores(actual: np.ndarray, mean: np.ndarray, variance: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """(N,) standard normal where outcomes (N,) are of these distributions: the randomised PIT (Czado, Gneiting & Held 2009).

    Args:
        uniform: (N,) from 0 to 1, the place of each outcome within its own probability.
    """
    scores = cube_root_scores(np.maximum(actual + uniform - 0.5, 0), mean, variance)
    small = np.flatnonzero((mean <= SMALL_MEAN) & (actual < MOST_TERMS))
    m, r, left = mean[small], size(mean[small], variance[small]), actual[small].astype(int)
    term, below = np.exp(-r * np.log1p(m / r)), np.zeros(len(small))
    level = np.empty(len(small))
    rows = np.arange(len(small))
    for k in range(int(left.max(initial=-1)) + 1):
        now = left[rows] == k
        level[rows[now]] = (below + uniform[small[rows]] * term)[now]
        below, term, rows, m, r = (values[~now] for values in (below + term, term * (k + r) / (k + 1) * m / (r + m), rows, m, r))
    floor = NormalDist().cdf(-EXTREME)
    scores[small] = QUANTILE(np.clip(level, floor, 1 - floor))
    return np.clip(scores, -EXTREME, EXTREME)


def count_quantiles(mean: np.ndarray, variance: np.ndarray, scores: np.ndarray, inwards: bool = True) -> np.ndarray:
    """Whole units: the quantiles of distributions (N,) at normal scores (N, Q), which rise with Q. (N, Q) float64.

    Args:
        inwards: above SMALL_MEAN they are rounded so that with both its ends an interval covers what it says, over many; else up,
            so that each covers what it says.
    """
    large = mean > SMALL_MEAN
    units = np.zeros(scores.shape)
    k = np.maximum(mean[large] ** 2 / np.maximum(variance[large], mean[large]), 1e-9)[:, None]
    root = np.maximum(1 - 1 / (9 * k) + scores[large] / (3 * np.sqrt(k)), 0)
    ends = mean[large, None] * root**3
    units[large] = np.maximum(np.rint(ends - 0.5 * np.sign(scores[large])) if inwards else np.ceil(ends - 0.5), 0)
    rows = np.flatnonzero(~large & (mean > 0))
    m, r = mean[rows], size(mean[rows], variance[rows])
    values, place = np.unique(scores[rows], return_inverse=True)
    level = CDF(np.clip(values, -EXTREME, EXTREME))[place].reshape(len(rows), scores.shape[1])
    term, total = np.exp(-r * np.log1p(m / r)), np.zeros(len(rows))
    for count in range(MOST_TERMS):
        total = total + term
        less = total[:, None] < level
        units[rows] += less
        going = less.any(axis=1)
        if not going.any():
            break
        term = term * (count + r) / (count + 1) * m / (r + m)
        rows, m, r, level, term, total = (values[going] for values in (rows, m, r, level, term, total))
    return units


def cube_root_scores(sales: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """(N,) normal scores of sales (N,) under gamma distributions; see the module."""
    k = mean**2 / np.maximum(variance, np.maximum(mean, 1e-9))
    return np.asarray(3 * np.sqrt(k) * (np.cbrt(sales / np.maximum(mean, 1e-9)) - 1 + 1 / (9 * np.maximum(k, 1e-9))))
