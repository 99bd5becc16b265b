"""What sums are over: everything, a store, an item, or a single series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = ("all", "store", "item", "series")


@dataclass(frozen=True)
class Groups:
    """`store`, `item` (S,) int codes from 0 of the series' stores and items, in the order of the ids."""

    store: np.ndarray
    item: np.ndarray

    @classmethod
    def of(cls, store: np.ndarray, item: np.ndarray) -> Groups:
        """Of ids (S,)."""
        return cls(*(np.unique(ids, return_inverse=True)[1] for ids in (store, item)))

    def by(self, level: str) -> np.ndarray:
        """(S,) codes from 0 of the sum of one of LEVELS that each series is in."""
        series = len(self.store)
        return {"all": np.zeros(series, int), "store": self.store, "item": self.item, "series": np.arange(series)}[level]
