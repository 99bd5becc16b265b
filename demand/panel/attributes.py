"""Categories of items and stores (brand, size, region): what tells the peers of those that have sold little."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

Id = int | str
METADATA = b"attributes"  # key in a table's metadata


@dataclass(frozen=True)
class Attributes:
    """`items`, `stores`: the category of each attribute, by id; an attribute that is not known of an id is left out."""

    items: Mapping[Id, Mapping[str, str]]
    stores: Mapping[Id, Mapping[str, str]]

    def cut(self, items: Collection[Id], stores: Collection[Id]) -> Attributes | None:
        """What is known of some items and stores; None where that is nothing."""
        kept = [{each: categories for each, categories in table.items() if each in ids and categories}
                for table, ids in ((self.items, items), (self.stores, stores))]
        return Attributes(*kept) if any(kept) else None

    def to_json(self) -> str:
        """One text for the same attributes, whatever order they came in."""
        tables = [[[each, dict(sorted(table[each].items()))] for each in sorted(table, key=in_order)]
                  for table in (self.items, self.stores)]
        return json.dumps(tables, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Attributes:
        """The inverse of to_json."""
        items, stores = (dict(table) for table in json.loads(text))
        return cls(items, stores)


def in_order(each: Id) -> tuple[bool, Id]:
    """Sorts integers before texts."""
    return isinstance(each, str), each


def categories_of(ids: np.ndarray, table: Mapping[Id, Mapping[str, str]]) -> dict[str, list[str | None]]:
    """For each attribute the category of every id (n,); None where it is not known."""
    names = sorted({name for categories in table.values() for name in categories})
    return {name: [table.get(each, {}).get(name) for each in ids.tolist()] for name in names}
