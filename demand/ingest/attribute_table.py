"""The tables of attributes, `data.items` and `data.stores`: one row per item or store, each other column a category."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from demand.ingest.csv_dialect import BOM, as_utf8
from demand.ingest.data_params import DataParams
from demand.panel.attributes import Attributes, Id
from demand.schema.errors import UserError

SHOWN = 5  # rows that a message names


def read_all_attributes(source: DataParams, tables: Mapping[str, pa.Buffer | None], item: np.ndarray,
                        store: np.ndarray) -> Attributes:
    """The attributes of all items and stores of a source.

    Args:
        tables: content of data.items and data.stores, by `items` and `stores`; either may be missing.
        item, store: ids, in any order and number.
    """
    found = []
    for name, file, key, ids in (("items", source.items, "item", item), ("stores", source.stores, "store", store)):
        data = tables.get(name)
        found.append(read_attributes(data, file, key, np.unique(ids).tolist()) if data is not None else {})
    return Attributes(*found)


def attributes_in_words(attributes: Attributes | None) -> str:
    """Which attributes are known of how many items and stores; empty where none is."""
    parts = []
    for kind, table in (("items", attributes.items), ("stores", attributes.stores)) if attributes else ():
        if names := sorted({name for categories in table.values() for name in categories}):
            parts.append(f"{', '.join(names)} of {len(table):,} {kind}")
    return "; ".join(parts)


def read_attributes(data: pa.Buffer, file: str, key: str, ids: Sequence[Id]) -> dict[Id, dict[str, str]]:
    """The categories of each id that the sales have; rows of other ids are of those to come.

    Args:
        data: a CSV; separated by comma, semicolon or tab.
        key: the column of the id, `item` or `store`.

    Raises:
        UserError: there is no such column; names each row that cannot be used, by its line.
    """
    text = as_utf8(data, file, None)[0].to_pybytes().removeprefix(BOM).decode()
    header, _, _ = text.partition("\n")
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=header.count))
    names = [name.strip() for name in next(rows, [])]
    if names.count(key) != 1 or len(set(names)) < len(names):
        raise UserError(f"{file} needs one column {key!r} and a column of its own name for each attribute; "
                        f"found {', '.join(map(repr, names))[:300]}")
    known = {str(each): each for each in ids}
    found: dict[Id, dict[str, str]] = {}
    lines: dict[str, int] = {}
    wrong = []
    for cells in rows:
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
        if not any(row.values()):
            continue
        each = row.pop(key, "")
        if not each:
            wrong.append(f"line {rows.line_num}: no {key}: fill it in")
        elif each in lines:
            wrong.append(f"line {rows.line_num}: {key} {each!r} as in line {lines[each]}: keep one row")
        elif len(cells) > len(names):
            wrong.append(f"line {rows.line_num}: {len(cells)} values for {len(names)} columns: quote those with separators")
        lines.setdefault(each, rows.line_num)
        if each in known:
            found[known[each]] = {name: category for name, category in row.items() if category}
    if wrong:
        more = f"\n  and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise UserError("\n  ".join([f"{file}: {len(wrong):,} rows cannot be used", *wrong[:SHOWN]]) + more)
    return found
