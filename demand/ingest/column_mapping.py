"""Which columns of a source hold the date, store, item and sales, and the table with those names."""

from __future__ import annotations

import re
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
DAY_NAME = re.compile(r"(d_\d+|\d{4}[-/.]?\d{2}[-/.]?\d{2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]0?0:00.*)?", re.ASCII)
ALIKE = 0.65  # ratio of equal letters from which one name may be meant by another
WIDE = 3  # columns that make a file one with a column per series or day
LABELS = 2  # columns beside the numbers in such a file: the day, its weekday
LISTED = 300  # characters of a list of columns


def pick_columns(names: list[str], file: str, columns: Columns, known: tuple[str, ...], numeric: Sequence[bool] = ()) -> Picked:
    """The source's columns for each canonical and known-future name; none where there is a constant instead.

    Args:
        names: the source's columns.
        numeric: whether each of them holds numbers, for the message about a file with a column per series or day.

    Raises:
        UserError: names all that are not there, or one that is there twice; a known-future name is taken.
    """
    for name in known:
        if name in TAKEN or known.count(name) > 1:
            raise UserError(f"params.yaml: data.known_future = {list(known)}: {name!r} is taken, rename the column in {file}")
    picked: Picked = {name: as_tuple(getattr(columns, name)) for name in CANONICAL}
    missing = [name for wanted in picked.values() for name in wanted if name not in names]
    if missing and all(name in names for wanted in NIXTLA.values() for name in wanted):
        picked = dict(NIXTLA)
    picked |= {name: (name,) for name in known}
    if absent := {name: canonical for canonical, wanted in picked.items() for name in wanted if name not in names}:
        lower = {name.lower() for name in names}
        any_there = any(name.lower() in lower for name in (*picked["store"], *picked["item"], *picked["sales"]))
        raise UserError(not_there(absent, names, file, known) + how_to_melt(names, file, () if any_there else numeric))
    for name in (name for wanted in picked.values() for name in wanted):
        if names.count(name) > 1:
            raise UserError(f"{file} has {names.count(name)} columns named {name!r}: rename or remove all but one")
    return picked


def as_tuple(names: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names or ()


def not_there(absent: dict[str, str], names: list[str], file: str, known: tuple[str, ...]) -> str:
    """The message for columns that the source has not got, with what may be meant.

    Args:
        absent: canonical or known-future name by column.
    """
    found = ", ".join(map(repr, names))
    found = found if len(found) <= LISTED else f"{found[:LISTED]} ... ({len(names)} columns)"
    if set(absent) <= set(known):
        needs = f"data.known_future names {', '.join(known)}"
    else:
        needs = (f"data.source needs {', '.join(CANONICAL)}; data.columns in params.yaml says which columns hold them, null "
                 "where there is no store, item or sales")
    guesses = {name: near for name in absent if (near := alike(name, names))}
    hint = "".join(f" Is {near!r} the {absent[name]}?" for name, near in guesses.items())
    hint += " The first line of the file has to hold the names of its columns." if len(names) == 1 else ""
    return f"{file} has no column {', '.join(map(repr, absent))}: {needs}; found {found}.{hint}"


def alike(name: str, names: list[str]) -> str | None:
    """The column that is named most like it, if there is one."""
    near = get_close_matches(name.lower(), [other.lower() for other in names], n=1, cutoff=ALIKE)
    return next((other for other in names if other.lower() in near), None)


def how_to_melt(names: list[str], file: str, numeric: Sequence[bool]) -> str:
    """Two lines of pandas that make a wide file long; nothing where it does not look wide."""
    days = [name for name in names if DAY_NAME.fullmatch(name)]
    if len(days) >= WIDE:
        labels, shape, melted = [name for name in names if name not in days], "day", "date"
    elif len(numeric) == len(names) and sum(numeric) >= WIDE and 1 <= len(names) - sum(numeric) <= LABELS:
        labels, shape, melted = [names[list(numeric).index(False)]], "series", "item"
    else:
        return ""
    reader = "read_parquet" if file.endswith((".parquet", ".pq")) else "read_csv"
    return (f" If the file has a column per {shape}, make it long, and name data/long.csv in data.source:\n"
            f"    import pandas as pd\n    pd.{reader}({file!r}).melt({labels}, var_name={melted!r}, value_name='sales')"
            ".to_csv('data/long.csv', index=False)")


def reading_of(picked: Picked, columns: Columns) -> str:
    """A sentence where other columns were taken than data.columns names."""
    if all(as_tuple(getattr(columns, name)) == picked[name] for name in CANONICAL):
        return ""
    return "the columns unique_id, ds, y are read as item, date and sales of one store, all"


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
