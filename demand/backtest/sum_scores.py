"""How well the intervals of sums cover: series, stores, items and everything, over days, weeks and four weeks of the backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from demand.backtest.folds import Fold
from demand.distribution import groups
from demand.distribution.groups import Groups
from demand.distribution.sums import forecast_sums
from demand.panel.forecast import LEVELS

SPANS = (1, 7, 28)  # days, counted from the origin


@dataclass(frozen=True)
class Scored:
    """N sums. `inside` (L, N) bool: the interval of each of LEVELS holds the sales; `width` (L, N), `forecast` (N,), units."""

    inside: np.ndarray
    width: np.ndarray
    forecast: np.ndarray


def by_sum(folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """One row per kind of sum, all folds together; days with known sales count.

    Keys: level (all, store, item, series), days, sums (their number), and for each of LEVELS coverage_P (% of the sums) and
    width_P (% of the forecast).
    """
    rows = []
    for level, days in product(groups.LEVELS, SPANS):
        parts = [part for fold in folds for start in range(0, fold.actual.shape[1] - days + 1, days)
                 if len((part := score_sums(fold, level, slice(start, start + days))).forecast)]
        if parts:
            inside, width, forecast = (np.concatenate([getattr(part, name) for part in parts], axis=-1)
                                       for name in Scored.__dataclass_fields__)
            rows.append({"level": level, "days": days, "sums": len(forecast)}
                        | {f"coverage_{p}": float(100 * inside[k].mean()) for k, p in enumerate(LEVELS)}
                        | {f"width_{p}": float(100 * width[k].sum() / forecast.sum()) for k, p in enumerate(LEVELS)})
    return rows


def score_sums(fold: Fold, level: str, days: slice) -> Scored:
    """The sums of one level over some positions of the horizon, of which anything is forecast."""
    known = ~np.isnan(fold.actual[:, days])
    codes = Groups.of(fold.history.store, fold.history.item)
    group = codes.by(level)
    units = np.where(known, fold.forecast.point[:, days], 0)
    sums = forecast_sums(fold.model.joint_error, units, days.start + 1, codes.store, codes.item, group)
    sold = np.bincount(group, np.where(known, fold.actual[:, days], 0).sum(axis=1, dtype="f8"))
    low, high = np.stack([sums.interval(percent) for percent in LEVELS], axis=1)
    use = sums.mean > 0
    return Scored(((sold >= low) & (sold <= high))[:, use], (high - low)[:, use], sums.mean[use])
