"""The forecasts that sums are made of, and which series are in the group that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from api.serving.lookup_table import Id, same_kind, shown
from demand.distribution.joint_error import JointError

T = TypeVar("T")


class UnknownGroupError(LookupError):
    """No series of these stores and items."""


@dataclass(frozen=True)
class SumTable:
    """S series × H days.

    Attributes:
        error: how the errors of the forecasts go together.
        points: (S, H) float32, units per day, a mapped file.
        store, item: (S,) int codes from 0 of the series' stores and items, in the order of `stores` and `items`.
        stores, items: the code of each id.
    """

    error: JointError
    points: np.ndarray
    store: np.ndarray
    item: np.ndarray
    stores: dict[Id, int]
    items: dict[Id, int]

    @classmethod
    def of(cls, error: JointError, points: np.ndarray, store: list[Id], item: list[Id]) -> SumTable:
        stores, items = numbered(store), numbered(item)
        return cls(error, points, np.array([stores[each] for each in store]), np.array([items[each] for each in item]),
                   stores, items)

    def group(self, stores: Sequence[Id], items: Sequence[Id]) -> np.ndarray | slice:
        """The positions of all series of these stores and items, ascending; none named means all."""
        if not stores and not items:
            return slice(None)
        inside = np.ones(len(self.points), bool)
        for name, asked, known, codes in (("store", stores, self.stores, self.store), ("item", items, self.items, self.item)):
            if asked:
                inside &= np.isin(codes, codes_of(name, asked, known))
        if not inside.any():
            raise UnknownGroupError(f"no series for {named('store', stores)}, {named('item', items)}")
        return np.flatnonzero(inside)


def numbered(ids: list[Id]) -> dict[Id, int]:
    """Codes from 0, in the order in which the ids come up."""
    return {each: code for code, each in enumerate(dict.fromkeys(ids))}


def codes_of(name: str, asked: Sequence[Id], known: dict[Id, int]) -> list[int]:
    """The codes of ids; they may be given as text where they are numbers, and the other way round."""
    kind = [next(iter(known))]
    codes = [known.get(each, known.get(same_kind(each, kind), -1)) for each in asked]
    if -1 in codes:
        raise UnknownGroupError(f"no series for {name} {shown(asked[codes.index(-1)])}")
    return codes


def named(name: str, asked: Sequence[Id]) -> str:
    """What was asked for, for a message."""
    return f"{name} {shown(asked[0])}" if len(asked) == 1 else f"these {len(asked)} {name}s"
