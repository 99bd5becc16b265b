"""What its peers say a series sells: overall x store x item, each as far as the spread between them is more than chance.

Stores and items that share a category (data.stores, data.items) are pulled to it; those that were not fitted take it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from demand.panel.attributes import Attributes, categories_of

Effects = dict[str, dict[str, float]]  # of each attribute's categories

ROUNDS = 4
WIDEST = 4.0  # variance of log levels around the peers, where too few series tell


@dataclass(frozen=True)
class Peers:
    """Additive effects on log units per day. `store`, `item`: effects by id; `spread`: variance of series around the sum.

    `of_stores`, `of_items`: effects of the categories of each attribute, on top of which those by id come.
    """

    overall: float
    store: dict[int | str, float]
    item: dict[int | str, float]
    spread: float
    of_stores: Effects = field(default_factory=dict)
    of_items: Effects = field(default_factory=dict)

    def level(self, store: np.ndarray, item: np.ndarray, attributes: Attributes | None = None) -> np.ndarray:
        """(S,) units per day of series with these ids (S,); an id that was not fitted has the effects of its categories alone."""
        effects = [(self.store.get(s, 0.0), self.item.get(i, 0.0)) for s, i in zip(store.tolist(), item.tolist(), strict=True)]
        log = self.overall + np.array(effects, "f8").reshape(-1, 2).sum(axis=1)
        if attributes:
            for ids, table, of in ((store, attributes.stores, self.of_stores), (item, attributes.items, self.of_items)):
                for name, categories in categories_of(ids, table).items():
                    log = log + sum_of(of, {name: categories})
        return np.exp(log)


def fit_peers(scale: np.ndarray, exposure: np.ndarray, dispersion: np.ndarray, store: np.ndarray, item: np.ndarray,
              attributes: Attributes | None = None) -> Peers:
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
    tables = (attributes.items, attributes.stores) if attributes else ({}, {})
    categories = [categories_of(unique, table) for (unique, _), table in zip(names, tables, strict=True)]
    shared: list[Effects] = [{}, {}]
    for _ in range(ROUNDS):
        for k, (unique, code) in enumerate(names):
            if len(unique) > 1:
                other = effects[1 - k][names[1 - k][1]]
                effects[k], shared[k] = side_effects(logs - overall - other, chance + spread, code, categories[k])
        left = logs - overall - sum(e[code] for e, (_, code) in zip(effects, names, strict=True))
        weight = 1 / (chance + spread)
        overall += float(np.average(left, weights=weight))
        spread = max(float(np.average(left**2 - chance, weights=weight)), 1e-3)
    by_id = [dict(zip(unique.tolist(), (e - sum_of(of, known)).tolist(), strict=True))
             for (unique, _), e, of, known in zip(names, effects, shared, categories, strict=True)]
    return Peers(overall, by_id[1], by_id[0], spread if len(logs) > 3 else WIDEST, shared[1], shared[0])


def side_effects(left: np.ndarray, variance: np.ndarray, code: np.ndarray,
                 categories: dict[str, list[str | None]]) -> tuple[np.ndarray, Effects]:
    """(n,) effects of all stores, or items, and those of their categories, which the former hold.

    Args:
        left: (N,) log levels, what the other side explains taken out; variance: (N,); code: (N,) of the store or item.
        categories: of each attribute, for all n of them.
    """
    if not categories:
        return group_effects(left, variance, code), {}
    total = np.bincount(code, 1 / variance)
    mean = np.bincount(code, left / variance) / total
    shared: Effects = {name: {} for name in categories}
    for _ in range(ROUNDS):
        for name, known in categories.items():
            others = {each: known_of for each, known_of in categories.items() if each != name}
            rest = mean - sum_of(shared, others)
            between = max(float(np.average((rest - sum_of(shared, {name: known}))**2 - 1 / total, weights=total)), 0.0)
            rows = np.array([row for row, each in enumerate(known) if each is not None], int)
            if len(rows):
                unique, group = np.unique([str(known[row]) for row in rows], return_inverse=True)
                effect = group_effects(rest[rows], 1 / total[rows] + between, group)
                shared[name] = dict(zip(unique.tolist(), effect.tolist(), strict=True))
    of_categories = sum_of(shared, categories)
    own = mean - of_categories
    between = max(float(np.average(own**2 - 1 / total, weights=total)), 0.0)
    return of_categories + own * between / (between + 1 / total), shared


def sum_of(shared: Effects, categories: dict[str, list[str | None]]) -> np.ndarray | float:
    """(n,) what the categories of each store, or item, add up to."""
    return sum((np.array([0.0 if each is None else shared[name].get(each, 0.0) for each in known])
                for name, known in categories.items() if name in shared), start=0.0)


def group_effects(left: np.ndarray, variance: np.ndarray, code: np.ndarray) -> np.ndarray:
    """(n,) means of `left` (N,) per group, weighted by 1 / `variance`, pulled to 0 as far as chance explains them."""
    weight = 1 / variance
    total = np.bincount(code, weight)
    mean = np.bincount(code, weight * left) / total
    between = max(float(np.average(mean**2 - 1 / total, weights=total)), 0.0)
    return mean * between / (between + 1 / total)
