"""What its peers say a series sells: overall x store x item, each as far as the spread between them is more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS = 4
WIDEST = 4.0  # variance of log levels around the peers, where too few series tell


@dataclass(frozen=True)
class Peers:
    """Additive effects on log units per day. `store`, `item`: effects by id; `spread`: variance of series around the sum."""

    overall: float
    store: dict[int | str, float]
    item: dict[int | str, float]
    spread: float

    def level(self, store: np.ndarray, item: np.ndarray) -> np.ndarray:
        """(S,) units per day of series with these ids (S,); an id that was not fitted has no effect."""
        effects = [(self.store.get(s, 0.0), self.item.get(i, 0.0)) for s, i in zip(store.tolist(), item.tolist(), strict=True)]
        return np.exp(self.overall + np.array(effects, "f8").reshape(-1, 2).sum(axis=1))


def fit_peers(scale: np.ndarray, exposure: np.ndarray, dispersion: np.ndarray, store: np.ndarray, item: np.ndarray) -> Peers:
    """The effects of all series that sold something.

    Args:
        scale: (S,) units per day; exposure: (S,) days that it was seen for; dispersion: (S,) variance of sales per unit.
    """
    sold = (scale > 0) & (exposure > 0)
    if not sold.any():
        return Peers(float(np.log(1e-3)), {}, {}, WIDEST)
    logs = np.log(scale[sold])
    chance = np.minimum(dispersion[sold] / (scale[sold] * exposure[sold]), WIDEST)
    spread, overall = max(float(np.var(logs)), 1e-3), float(np.average(logs, weights=1 / (chance + np.var(logs) + 1e-3)))
    names = [np.unique(ids[sold], return_inverse=True) for ids in (item, store)]
    effects = [np.zeros(len(unique)) for unique, _ in names]
    for _ in range(ROUNDS):
        for k, (unique, code) in enumerate(names):
            if len(unique) > 1:
                other = effects[1 - k][names[1 - k][1]]
                effects[k] = group_effects(logs - overall - other, chance + spread, code)
        left = logs - overall - sum(e[code] for e, (_, code) in zip(effects, names, strict=True))
        weight = 1 / (chance + spread)
        overall += float(np.average(left, weights=weight))
        spread = max(float(np.average(left**2 - chance, weights=weight)), 1e-3)
    by_id = [dict(zip(unique.tolist(), e.tolist(), strict=True)) for (unique, _), e in zip(names, effects, strict=True)]
    return Peers(overall, by_id[1], by_id[0], spread if len(logs) > 3 else WIDEST)


def group_effects(left: np.ndarray, variance: np.ndarray, code: np.ndarray) -> np.ndarray:
    """(n,) means of `left` (N,) per group, weighted by 1 / `variance`, pulled to 0 as far as chance explains them."""
    weight = 1 / variance
    total = np.bincount(code, weight)
    mean = np.bincount(code, weight * left) / total
    between = max(float(np.average(mean**2 - 1 / total, weights=total)), 0.0)
    return mean * between / (between + 1 / total)
