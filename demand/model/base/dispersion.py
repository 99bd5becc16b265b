"""How sales of each series scatter around what is expected: its weight in sums over series, and the noise of its level."""

from __future__ import annotations

import numpy as np

BLOCK = 28  # days
PRIOR_DAYS = 60  # days with sales that the pooled dispersion counts as, beside a series' own


def pooled_with_own(squares: np.ndarray, expected: np.ndarray, days: np.ndarray) -> np.ndarray:
    """(S,) variance of sales per unit of expected sales, own and pooled together.

    The pooled one is a + b level, fitted to the medians of series of like level: single giant orders do not move it.

    Args:
        squares, expected: (S,) sums of squared residuals and of expected sales; days: (S,) that they were added up over.
    """
    seen = (expected > 1e-9) & (days > 0)
    if not seen.any():
        return np.ones(len(expected))
    own = np.divide(squares, expected, out=np.ones(len(expected)), where=seen)
    level = np.divide(expected, days, out=np.zeros(len(expected)), where=seen)
    order = np.flatnonzero(seen)[np.argsort(level[seen], kind="stable")]
    groups = np.array_split(order, min(10, len(order)))
    x, y = (np.array([np.median(values[group]) for group in groups]) for values in (level, own))
    slope = max(float(((x - x.mean()) * (y - y.mean())).sum() / max(((x - x.mean()) ** 2).sum(), 1e-12)), 0.0)
    pooled = np.maximum(max(float((y - slope * x).mean()), 0.0) + slope * level, 1e-3 * max(float(y.max()), 1e-9))
    evidence = np.minimum(days, expected / np.maximum(own, 1e-9) + 1)
    return (PRIOR_DAYS * pooled + evidence * own) / (PRIOR_DAYS + evidence)


def local_squares(sales: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(S,) sums of squared residuals (S, D) around the level of each block of BLOCK days: what no level explains."""
    total = np.zeros(len(sales))
    for start in range(0, sales.shape[1], BLOCK):
        sold, due = sales[:, start:start + BLOCK], expected[:, start:start + BLOCK]
        sums = due.sum(axis=1)
        ratio = np.divide(sold.sum(axis=1), sums, out=np.ones(len(sums)), where=sums > 1e-9)
        days = (due > 0).sum(axis=1)
        residual = np.where(due > 0, sold - ratio[:, None] * due, 0)
        total += (residual**2).sum(axis=1) * days / np.maximum(days - 1, 1)
    return total
