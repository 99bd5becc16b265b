"""The joint error of a forecast: how errors go together over days and series, so that intervals of any sum can be told.

sales of series s on day h = forecast f_sh x (1 + c_h + store_h + item_h + own_h) + chance, and the variance of chance is a f.
Each of the four relative errors has a covariance over the horizon that mixes four memories: a day of its own [h = h'], a week's
exp(-|h - h'| / 7), a level that stays 1, and a level that walks min(h, h') / 28. So the variance of a sum is a x (its forecast)
and, for each error and each group g that shares it, w' K w, where w (days) is the forecast of g inside the sum: a linear mixed
model of the errors (Searle, Casella & McCulloch 1992, Variance Components).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csc_matrix
from scipy.special import stdtrit

from demand.distribution.count_distribution import count_quantiles
from demand.distribution.groups import LEVELS

ERRORS = LEVELS  # what shares a relative error
MEMORIES = ("day", "week", "level", "walk")  # how long it lasts
WEEK, WALK = 7.0, 28.0  # days
BLOCK = 4096  # series that are copied to float64 at a time
Levels: TypeAlias = Sequence[float] | np.ndarray  # probabilities


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
    count = int(group.max(initial=-1)) + 1
    parts = np.zeros((len(ERRORS), count))
    matrices = covariances(error, units.shape[1], first)
    for k, code in shared_by(error, store, item):
        owner, weight = added_up(units, code, group)
        parts[k] = np.bincount(owner, quadratic(weight, matrices[k]), count)
    return total_variance(error, np.bincount(group, units.sum(axis=1, dtype="f8"), count), parts)


def period_variances(error: JointError, units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray,
                     starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `variances`, of the sum of all series over each of P periods: (P,) and (P,).

    The sum of w' K w over many w is that of K times their second moments, which all periods share.

    Args:
        starts: (P,) column that each period begins with, ascending from 0; it ends before the next one.
    """
    parts = np.zeros((len(ERRORS), len(starts)))
    matrices = covariances(error, units.shape[1], first)
    bounds = list(pairwise([*starts.tolist(), units.shape[1]]))
    for k, code in shared_by(error, store, item):
        _, weight = added_up(units, code, np.zeros_like(store))
        products = matrices[k] * (weight.T @ weight)
        parts[k] = [products[start:end, start:end].sum() for start, end in bounds]
    return total_variance(error, np.add.reduceat(units.sum(axis=0, dtype="f8"), starts), parts)


def total_variance(error: JointError, mean: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G,) variance and degrees of freedom of sums with a mean (G,), from what each of ERRORS (4, G) adds to the variance."""
    variance = error.counting * mean + parts.sum(axis=0)
    return variance, error.spells * (variance / np.maximum(parts[0], 1e-9 * np.maximum(variance, 1e-9))) ** 2


def covariances(error: JointError, days: int, first: int) -> np.ndarray:
    """(4, D, D) covariance of each of ERRORS over the days."""
    day = first + np.arange(days)
    gap = np.abs(day[:, None] - day)
    memories = np.stack([gap == 0, np.exp(-gap / WEEK), np.ones_like(gap), np.minimum.outer(day, day) / WALK])
    return np.asarray(np.tensordot(error.relative, memories, 1))


def quadratic(weight: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(P,) w' K w of weights (P, D)."""
    return np.asarray(np.einsum("pd,pd->p", weight @ matrix.astype(weight.dtype), weight, dtype="f8"))


def error_forms(units: np.ndarray, first: int, store: np.ndarray, item: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(G, 4, 4) quadratic forms of each sum by ERRORS and MEMORIES; the arguments are those of `variances`."""
    count = int(group.max(initial=-1)) + 1
    whole = np.zeros((count, len(ERRORS), len(MEMORIES)))
    for k, code in enumerate((np.zeros_like(group), store, item, None)):
        owner, weight = added_up(units, code, group)
        terms = forms(weight, first)
        for memory in range(len(MEMORIES)):
            whole[:, k, memory] = np.bincount(owner, terms[:, memory], count)
    return whole


def shared_by(error: JointError, store: np.ndarray, item: np.ndarray) -> Iterator[tuple[int, np.ndarray | None]]:
    """Each of ERRORS that there is, by its number, with the codes (S,) of what shares it; None for series."""
    codes = (np.zeros_like(store), store, item, None)
    return ((k, codes[k]) for k in np.flatnonzero(error.relative.any(axis=1)).tolist())


def added_up(units: np.ndarray, code: np.ndarray | None, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The group (P,) and the units (P, D) of all series of one code inside a sum, float64; of each series without codes.

    Args:
        units: (S, D).
        code, group: (S,) int from 0.
    """
    if code is None:
        return group, units
    width = int(code.max(initial=-1)) + 1
    pairs, place = np.unique(group * width + code, return_inverse=True)
    if len(pairs) == len(units):
        return group, units
    member = csc_matrix((np.ones(len(units)), place, np.arange(len(units) + 1)), (len(pairs), len(units)))
    total, block = np.zeros((len(pairs), units.shape[1])), max(BLOCK, len(pairs))
    for at in range(0, len(units), block):
        total += member[:, at:at + block] @ units[at:at + block]
    return pairs // width, total


def quantiles(mean: np.ndarray, variance: np.ndarray, freedom: np.ndarray, levels: Levels, whole: bool,
              inwards: bool = True) -> np.ndarray:
    """(N, Q) units at probabilities `levels`, which rise with Q, of sums (N,): (Q,) for all of them, or (N, Q).

    Negative binomial where sales are whole (`inwards` as in count_quantiles), else a gamma distribution by its cube root (Wilson
    & Hilferty 1931), at the quantiles of Student's t instead of a normal distribution's.
    """
    scores = student_scores(freedom, levels)
    if whole:
        return count_quantiles(mean, variance, scores, inwards)
    k = mean**2 / np.maximum(variance, 1e-12)
    k = np.maximum(k, 1e-9)[:, None]
    return np.where(mean[:, None] > 0, mean[:, None] * np.maximum(1 - 1 / (9 * k) + scores / (3 * np.sqrt(k)), 0) ** 3, 0.0)


def student_scores(freedom: np.ndarray, levels: Levels) -> np.ndarray:
    """(N, Q) quantiles of Student's t."""
    return np.asarray(stdtrit(np.maximum(freedom, 1.0)[:, None], np.asarray(levels, "f8")))
