"""All forecasts of one model as one array, and what turns a store, an item and a day into a position in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeAlias

import numpy as np

Id: TypeAlias = int | str
COLUMNS = ("predicted_sales", "lo_80", "hi_80", "lo_95", "hi_95")  # units per day
UNKNOWN = -1  # in place of a position
WRITTEN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")  # as str writes it: store 7 is "7", and never "007"


class UnknownSeriesError(LookupError):
    """No series of this store and item: `rows` are the positions in a batch."""

    def __init__(self, store: Id, item: Id, rows: list[int] | None = None) -> None:
        super().__init__(f"no series for store {shown(store)}, item {shown(item)}")
        self.rows = rows


class OutsideHorizonError(LookupError):
    """A day that is not forecast; `field` is its place in the request."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True)
class LookupTable:
    """S series × H days.

    Attributes:
        values: (S, H, 5) float64, COLUMNS, units per day, rounded as JSON has them.
        store, item: S ids each, all int or all str, sorted by store, then item.
        rows: position of each store and item.
        days: position of each day, as YYYY-MM-DD, in order; day 0 is the one after the origin.
    """

    values: np.ndarray
    store: list[Id]
    item: list[Id]
    rows: dict[tuple[Id, Id], int]
    days: dict[str, int]

    @classmethod
    def of(cls, values: np.ndarray, store: list[Id], item: list[Id], origin: np.datetime64) -> LookupTable:
        days = (origin + 1 + np.arange(values.shape[1])).astype(str).tolist()
        rows = dict(zip(zip(store, item, strict=True), range(len(store)), strict=True))
        return cls(values, store, item, rows, dict(zip(days, range(len(days)), strict=True)))

    def row(self, store: Id, item: Id) -> int:
        """The position of a series; ids may be given as text where they are numbers, and the other way round."""
        row = self.rows.get((store, item))
        if row is None:
            row = self.rows.get((same_kind(store, self.store), same_kind(item, self.item)))
        if row is None:
            raise UnknownSeriesError(store, item)
        return row

    def day(self, day: str) -> int:
        """The position of a day."""
        position = self.days.get(day)
        if position is None:
            raise OutsideHorizonError(self.why_not(day))
        return position

    def why_not(self, day: str) -> str:
        """The message about a day that is not in the table."""
        allowed = list(self.days)
        try:
            np.datetime64(day, "D")
        except ValueError:
            return f"{day} is no date"
        return f"{day} is outside the forecast, which covers {allowed[0]} to {allowed[-1]}"

    def lookup(self, store: Id, item: Id, day: str) -> np.ndarray:
        """(5,) of `values`: the hot path."""
        return self.values[self.row(store, item), self.day(day)]

    def batch(self, store: Sequence[Id], item: Sequence[Id], day: Sequence[str]) -> np.ndarray:
        """(N, 5) of `values` for N rows."""
        rows = self.positions(store, item)
        days = np.fromiter(map(self.days.get, day, repeat(UNKNOWN)), "i4", len(day))
        outside = np.flatnonzero(days == UNKNOWN).tolist()
        if outside:
            raise OutsideHorizonError(self.why_not(day[outside[0]]), outside[0])
        return self.values[rows, days]

    def positions(self, store: Sequence[Id], item: Sequence[Id]) -> np.ndarray:
        """(N,) the positions of N series."""
        rows = np.fromiter(map(self.rows.get, zip(store, item, strict=True), repeat(UNKNOWN)), "i4", len(store))
        for k in np.flatnonzero(rows == UNKNOWN).tolist():
            rows[k] = self.rows.get((same_kind(store[k], self.store), same_kind(item[k], self.item)), UNKNOWN)
        wrong = np.flatnonzero(rows == UNKNOWN).tolist()
        if wrong:
            raise UnknownSeriesError(store[wrong[0]], item[wrong[0]], wrong)
        return rows


def same_kind(value: Id, ids: list[Id]) -> Id:
    """The id in the kind, number or text, that the data has."""
    if isinstance(ids[0], int) and isinstance(value, str):
        return int(value) if WRITTEN_INTEGER.fullmatch(value) else value
    return str(value) if isinstance(ids[0], str) and isinstance(value, int) and abs(value) < 10**18 else value


def shown(value: Id) -> str:
    """An id for a message, cut off where it is absurdly long."""
    text = value if isinstance(value, str) else str(value) if abs(value) < 10**18 else "(a huge number)"
    return text if len(text) <= 60 else f"{text[:60]}…"
