"""The joint error of a forecast: how errors go together over days and series, so that intervals of any sum can be told.

sales of series s on day h = forecast f_sh x (1 + c_h + store_h + item_h + own_h) + chance, and the variance of chance is a f.
Each of the four relative errors has a covariance over the horizon that mixes four memories: a day of its own [h = h'], a week's
exp(-|h - h'| / 7), a level that stays 1, and a level that walks min(h, h') / 28. So the variance of a sum is a x (its forecast)
and, for each error and each group g that shares it, w' K w, where w (days) is the forecast of g inside the sum: a linear mixed
model of the errors (Searle, Casella & McCulloch 1992, Variance Components).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from demand.distribution.count_distribution import count_quantiles

ERRORS = ("all", "store", "item", "series")  # what shares a relative error
MEMORIES = ("day", "week", "level", "walk")  # how long it lasts
WEEK, WALK = 7.0, 28.0  # days


@dataclass(frozen=True)
class JointError:
    """`counting` a; `relative` (4, 4) variances by ERRORS and MEMORIES; `spells`: periods that told the error of all series.

    `whole`: sales are whole units.
    """

    counting: float
    relative: np.ndarray
    spells: float
    whole: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a model's facts hold it; `whole` stands there already."""
        return {"counting": self.counting, "relative": self.relative.tolist(), "spells": self.spells}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], whole: bool) -> JointError:
        """The inverse of to_json."""
        return cls(content["counting"], np.array(content["relative"]), content["spells"], whole)


def forms(weight: np.ndarray, first: int) -> np.ndarray:
    """(P, 4) quadratic forms w' K w of weights (P, D) by MEMORIES.

    Args:
        first: days from the origin to the first column, from 1.
    """
    days = np.arange(weight.shape[1])
    week = weight @ np.exp(-np.abs(days[:, None] - days) / WEEK).astype(weight.dtype)
    rest = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]  # of each day and all later ones
    total = rest[:, 0] if len(days) else np.zeros(len(weight))
    walk = (first - 1) * total**2 + (rest**2).sum(axis=1)
    return np.stack([(weight**2).sum(axis=1), (week * weight).sum(axis=1), total**2, walk / WALK], axis=1)


def variances(error: JointError, units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray,
              group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G,) variance of each sum, and its degrees of freedom by Satterthwaite (1946): few spells told the error that all share.

    Args:
        units: (S, D) forecast.
        first: days from the origin to the first day, from 1.
        store, item, group: (S,) int codes from 0; a series is in the sum of its group.
    """
    parts = error_forms(units, first, store, item, group) * error.relative
    variance = error.counting * np.bincount(group, units.sum(axis=1, dtype="f8")) + parts.sum(axis=(1, 2))
    shared = parts[:, 0].sum(axis=1)
    return variance, error.spells * (variance / np.maximum(shared, 1e-9 * np.maximum(variance, 1e-9))) ** 2


def error_forms(units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(G, 4, 4) quadratic forms of each sum by ERRORS and MEMORIES; the arguments are those of `variances`."""
    count = int(group.max()) + 1
    whole = np.zeros((count, len(ERRORS), len(MEMORIES)))
    for error, code in enumerate((np.zeros_like(group), store, item, None)):
        if code is None:
            owner, weight = group, units
        else:
            pairs, place = np.unique(group * (int(code.max()) + 1) + code, return_inverse=True)
            owner, weight = pairs // (int(code.max()) + 1), added_up(units, place, len(pairs))
        terms = forms(weight, first)
        for memory in range(len(MEMORIES)):
            whole[:, error, memory] = np.bincount(owner, terms[:, memory], count)
    return whole


def added_up(units: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """(count, D) float64 sums of the rows of `units` (S, D) by their place."""
    if count == len(units):
        return units[np.argsort(place)]
    order = np.argsort(place, kind="stable")
    return np.add.reduceat(units[order], np.searchsorted(place[order], np.arange(count)), axis=0, dtype="f8")


def quantiles(mean: np.ndarray, variance: np.ndarray, freedom: np.ndarray, levels: Sequence[float], whole: bool) -> np.ndarray:
    """(N, Q) units at probabilities `levels` (Q,), which rise, of sums (N,).

    Negative binomial where sales are whole, else a gamma distribution by its cube root (Wilson & Hilferty 1931), at the quantiles
    of Student's t instead of a normal distribution's.
    """
    scores = student_scores(freedom, levels)
    if whole:
        return count_quantiles(mean, variance, scores)
    k = mean**2 / np.maximum(variance, 1e-12)
    k = np.maximum(k, 1e-9)[:, None]
    return np.where(mean[:, None] > 0, mean[:, None] * np.maximum(1 - 1 / (9 * k) + scores / (3 * np.sqrt(k)), 0) ** 3, 0.0)


def student_scores(freedom: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """(N, Q) quantiles of Student's t."""
    return np.asarray(stdtrit(np.maximum(freedom, 1.0)[:, None], np.asarray(levels, "f8")))
