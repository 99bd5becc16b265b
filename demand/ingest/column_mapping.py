"""Which columns of a source hold the date, store, item and sales, and the table with those names."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from demand.ingest.data_params import Columns
from demand.panel.calendar import CALENDAR
from demand.panel.lag_features import STATE
from demand.schema.errors import UserError

CANONICAL = ("date", "store", "item", "sales")
TAKEN = (*CANONICAL, "recorded", "status", *CALENDAR, *STATE)  # columns of the feature table
NIXTLA = {"date": ("ds",), "store": (), "item": ("unique_id",), "sales": ("y",)}
ALL, JOINT = "all", "|"  # the id where no column tells one; what stands between the parts of a joined one
Picked = dict[str, tuple[str, ...]]
MELT = """import pandas as pd
    pd.read_csv("{file}").melt("{date}", var_name="item", value_name="sales").assign(store="all").to_csv("data/long.csv")"""


def pick_columns(names: list[str], file: str, columns: Columns, known: tuple[str, ...]) -> Picked:
    """The source's columns for each canonical and known-future name; none where there is a constant instead.

    Raises:
        UserError: one is not there, or there twice; the table looks wide; a known-future name is taken.
    """
    for name in known:
        if name in TAKEN or known.count(name) > 1:
            raise UserError(f"params.yaml: data.known_future = {list(known)}: {name!r} is taken, rename the column in {file}")
    picked: Picked = {name: as_tuple(getattr(columns, name)) for name in CANONICAL}
    missing = [name for wanted in picked.values() for name in wanted if name not in names]
    if missing and all(name in names for wanted in NIXTLA.values() for name in wanted):
        picked = dict(NIXTLA)
    picked |= {name: (name,) for name in known}
    for canonical, wanted in picked.items():
        for name in wanted:
            if name not in names:
                raise UserError(not_there(canonical, name, names, file, columns, known))
            if names.count(name) > 1:
                raise UserError(f"{file} has {names.count(name)} columns named {name!r}: rename or remove all but one")
    return picked


def as_tuple(names: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names or ()


def not_there(canonical: str, name: str, names: list[str], file: str, columns: Columns, known: tuple[str, ...]) -> str:
    """The message for a column that the source has not got."""
    near = get_close_matches(name.lower(), [other.lower() for other in names], n=1)
    guess = [other for other in names if other.lower() in near]
    if canonical in known:
        needs = f"data.known_future names {', '.join(known)}"
    else:
        needs = f"data.source needs {', '.join(CANONICAL)}; data.columns in params.yaml says which columns hold them"
    hint = f" Is it {guess[0]!r}?" if guess else ""
    wide = columns.date in names and len(names) > 3 and not set(names) & {columns.store, columns.item, columns.sales}
    if wide:
        hint = f" If each column is one series, melt it first:\n    {MELT.format(file=file, date=columns.date)}"
    return f"{file} has no column {name!r}: {needs}; found {', '.join(map(repr, names))[:300]}.{hint}"


def canonical_table(table: pa.Table, picked: Picked) -> pa.Table:
    """The table with the columns CANONICAL and the known-future ones: ids joined where several columns make one."""
    made = {}
    for name, sources in picked.items():
        if len(sources) == 1:
            made[name] = table[sources[0]]
        elif sources:
            made[name] = pc.binary_join_element_wise(*(text_of(table[source]) for source in sources), JOINT)
        elif name == "sales":
            made[name] = pa.repeat(pa.scalar(1.0), table.num_rows)
        else:
            made[name] = pa.repeat(pa.scalar(ALL), table.num_rows)
    return pa.table(made)


def text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as trimmed text; an empty part stays empty."""
    text = column.cast(pa.string())
    return pc.utf8_trim_whitespace(text)


def unused(names: Sequence[str], picked: Picked) -> tuple[str, ...]:
    """Columns that nothing reads."""
    read = {name for sources in picked.values() for name in sources}
    return tuple(name for name in names if name not in read)
