"""The bytes of a source file as a table: the dialects of CSV that are read, and how rows are found again in the file.

Only the shape is judged here: values that are no numbers stay text, for stages/forecasting/records.py to report.
"""

from __future__ import annotations

import csv as dialect
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from demand.panel import arrow
from demand.panel.calendar import CALENDAR
from demand.panel.lag_features import STATE
from demand.schema.errors import UserError

REQUIRED = ("date", "store", "item", "sales")
TAKEN = (*REQUIRED, "recorded", "status", *CALENDAR, *STATE)  # columns of the feature table
BOM = b"\xef\xbb\xbf"
BINARY = (b"\x1f\x8b", b"PK\x03\x04", b"\x89PNG", b"%PDF")
NEWLINE, RETURN = 10, 13
CHUNK = 1 << 20  # bytes looked at together
Ragged = list[tuple[int, str]]


@dataclass(frozen=True)
class Source:
    """A source file's rows, in file order.

    Attributes:
        table: the columns REQUIRED and the known-future ones. Of a CSV, ids and dates are text (dictionaries), the others
            float64, or text where not every value is a number; of a Parquet file, whatever it holds.
        numbers: where a reader finds the rows again: numbers from 1, given positions in the table. Slow, for messages.
        unit: what those numbers count, "line" or "row".
        repairs: what was mended while reading.
        ignored: columns that nothing reads.
    """

    table: pa.Table
    numbers: Callable[[np.ndarray], np.ndarray]
    unit: str
    repairs: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read(data: pa.Buffer, file: str, known: tuple[str, ...]) -> Source:
    """The rows of a CSV or Parquet file; its first bytes say which of the two it is.

    Args:
        data: the whole file.
        file: its name, for messages.
        known: names of the known-future columns.
    """
    head = data.slice(0, min(len(data), 4096)).to_pybytes()
    if not head.removeprefix(BOM).strip():
        raise UserError(f"{file} is empty: data.source needs the columns {', '.join(REQUIRED)}")
    if head.startswith(b"PAR1"):
        return read_parquet(data, file, known)
    if b"\0" in head or head.startswith(BINARY):
        raise neither(file)
    return read_csv(data, file, known)


def source_of_table(table: pa.Table, name: str, known: tuple[str, ...]) -> Source:
    """The rows of a table that is in memory; `name` is what messages call it."""
    return Source(table.select(wanted(table.column_names, name, known)), lambda rows: rows, "row")


def neither(file: str, why: object = "") -> UserError:
    """The error for a file of another kind."""
    return UserError(f"{file} is neither CSV in UTF-8 nor Parquet{f' ({why})' if why else ''}: save it as one of them")


def wanted(names: list[str], file: str, known: tuple[str, ...]) -> list[str]:
    """The columns to read; raises where one is not there, or there twice."""
    for name in known:
        if name in TAKEN or known.count(name) > 1:
            raise UserError(f"params.yaml: data.known_future = {list(known)}: {name!r} is taken, rename the column in {file}")
    for name in (*REQUIRED, *known):
        if name not in names:
            near = get_close_matches(name.lower(), [other.lower() for other in names], n=1)
            guess = [other for other in names if other.lower() in near]
            hint = f" Rename {guess[0]!r}?" if guess else ""
            if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
                hint = " Columns must be separated by commas."
            needs = f"data.known_future names {', '.join(known)}" if name in known else f"data.source needs {', '.join(REQUIRED)}"
            raise UserError(f"{file} has no column {name!r}: {needs}; found {', '.join(map(repr, names))[:300]}.{hint}")
        if names.count(name) > 1:
            raise UserError(f"{file} has {names.count(name)} columns named {name!r}: rename or remove all but one")
    return [*REQUIRED, *known]


def read_parquet(data: pa.Buffer, file: str, known: tuple[str, ...]) -> Source:
    """The needed columns of a Parquet file."""
    try:
        names = parquet.read_schema(pa.BufferReader(data)).names
        table = arrow.read_parquet(data, wanted(names, file, known))
    except (pa.ArrowException, OSError) as error:
        raise neither(file, error) from None
    return Source(table, lambda rows: rows + 1, "row", ignored=tuple(name for name in names if name not in table.column_names))


def read_csv(data: pa.Buffer, file: str, known: tuple[str, ...]) -> Source:
    """Comma-separated UTF-8 with a header. A byte order mark, any line endings, blank lines and padded names are mended."""
    marked = data.slice(0, min(3, len(data))).to_pybytes() == BOM
    start, end = 3 * marked, 3 * marked
    header_at = 0
    for line in data.slice(start, min(CHUNK, len(data) - start)).to_pybytes().splitlines(keepends=True):
        header_at, end = header_at + 1, end + len(line)
        if line.strip():
            break
    body = data.slice(end)
    try:
        padded = next(dialect.reader([line.decode().strip("\r\n")]))
        names = [name.strip() for name in padded]
        columns = wanted(names, file, known)
        table, ragged = parsed(body, names, columns)
    except (pa.ArrowInvalid, UnicodeDecodeError, dialect.Error) as error:
        raise neither(file, error) from None

    def lines(rows: np.ndarray) -> np.ndarray:
        return np.array([n for n, line in enumerate(body.to_pybytes().splitlines(), header_at + 1) if line.strip()])[rows]

    if ragged:
        shown = "; ".join(f"line {lines(np.array(row))}: {text[:60]!r}" for row, text in ragged[:5])
        raise UserError(f"{file}: {len(ragged)} rows have not the header's {len(names)} columns: {shown}. Correct or quote them")
    if table.num_rows == 0:
        raise UserError(f"{file} has a header and no rows")
    repairs = {"byte_order_marks_removed": int(marked), "column_names_trimmed": sum(map(str.__ne__, names, padded)),
               **line_endings(data, table.num_rows)}
    return Source(table, lines, "line", repairs, tuple(name for name in names if name not in columns))


def parsed(body: pa.Buffer, names: list[str], columns: list[str]) -> tuple[pa.Table, Ragged]:
    """The rows below the header, and those that have too few or too many values: position among all rows, text."""
    if len(body) == 0:
        return pa.table({name: pa.array([], pa.string()) for name in columns}), []
    text, number = pa.dictionary(pa.int32(), pa.string()), pa.float64()
    options = csv.ConvertOptions(column_types={name: text if name in REQUIRED[:3] else number for name in columns},
                                 include_columns=columns)
    try:
        return csv.read_csv(pa.BufferReader(body), csv.ReadOptions(column_names=names), convert_options=options), []
    except pa.ArrowInvalid:  # a value is no number, or a row is ragged
        return parsed_as_text(body, names, columns)


def parsed_as_text(body: pa.Buffer, names: list[str], columns: list[str]) -> tuple[pa.Table, Ragged]:
    """As `parsed`, row by row: what a row has to say is judged later. Lines of spaces only are skipped."""
    body.to_pybytes().decode()  # the handler below must not meet what is not UTF-8
    ragged: Ragged = []
    blank = 0

    def skip(row: csv.InvalidRow) -> str:
        nonlocal blank
        if row.text.strip():
            ragged.append((row.number - 1 - blank, row.text))
        else:
            blank += 1
        return "skip"

    table = csv.read_csv(pa.BufferReader(body), csv.ReadOptions(column_names=names, use_threads=False),
                         csv.ParseOptions(invalid_row_handler=skip),
                         csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), include_columns=columns))
    return table, ragged


def line_endings(data: pa.Buffer, rows: int) -> dict[str, int]:
    """What is unusual between the lines. Counted in chunks: the file may be much larger than memory's share for it."""
    view = np.frombuffer(data, np.uint8)
    feeds = returns = both = 0
    for start in range(0, len(view), CHUNK):
        chunk, following = view[start : start + CHUNK], view[start + 1 : start + 1 + CHUNK]
        feeds += int(np.count_nonzero(chunk == NEWLINE))
        at = np.flatnonzero(chunk == RETURN)
        returns += len(at)
        both += int(np.count_nonzero(following[at[at < len(following)]] == NEWLINE))
    lines = feeds + returns - both + (view[-1] not in (NEWLINE, RETURN))
    plain = feeds - both
    return {"lines_ending_in_carriage_return": int(returns), "mixed_line_endings": int(returns > 0 and plain > 0),
            "blank_lines_skipped": int(lines - 1 - rows)}
