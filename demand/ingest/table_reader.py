"""The bytes of a source file as a table: the dialects of CSV that are read, and how rows are found again in the file.

Only the shape is judged here: values that are no numbers stay text, for demand/ingest/records.py to report.
"""

from __future__ import annotations

import csv as dialect
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from demand.ingest.cell_values import is_blank, is_number, with_decimal_points
from demand.ingest.column_mapping import CANONICAL, Picked, canonical_table, pick_columns, reading_of, unused
from demand.ingest.column_types import READABLE, is_readable, without_extension
from demand.ingest.csv_dialect import BOM, as_utf8, detect_separator, first_row, header_line, line_endings, line_numbers
from demand.ingest.data_params import DataParams
from demand.ingest.number_formats import could_be_thousands, looks_like_number
from demand.panel import arrow
from demand.panel.arrow import to_arrow, to_numpy
from demand.schema.errors import UserError

BINARY = {b"\x1f\x8b": "packed by gzip", b"PK\x03\x04": "an Excel workbook or a ZIP archive",
          b"\xd0\xcf\x11\xe0": "an Excel workbook", b"\x89PNG": "a picture", b"%PDF": "a PDF"}
Ragged = list[tuple[int, str]]


@dataclass(frozen=True)
class Source:
    """A source file's rows, in file order.

    Attributes:
        table: the columns CANONICAL and the known-future ones. Of a CSV, ids and dates are text (dictionaries), the others
            float64, or text where not every value is a number; of a Parquet file, whatever it holds.
        numbers: where a reader finds the rows again: numbers from 1, given positions in the table. Slow, for messages.
        unit: what those numbers count, "line" or "row".
        repairs: what was mended while reading.
        ignored: columns that nothing reads.
        decisions: how it was read, where that was decided for the user; a sentence each.
    """

    table: pa.Table
    numbers: Callable[[np.ndarray], np.ndarray]
    unit: str
    repairs: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()


def read(data: pa.Buffer, layout: DataParams) -> Source:
    """The rows of a CSV or Parquet file; its first bytes say which of the two it is.

    Args:
        data: the whole file.
        layout: its name, its columns, and how it is written.
    """
    head, file = data.slice(0, min(len(data), 4096)).to_pybytes(), layout.source
    if not head.removeprefix(BOM).strip():
        raise UserError(f"{file} is empty: data.source needs the columns {', '.join(CANONICAL)}")
    if head.startswith(b"PAR1"):
        return read_parquet(data, layout)
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind := next((kind for start, kind in BINARY.items() if head.startswith(start)), ""):
        raise UserError(f"{file} is {kind}: save it as CSV or Parquet")
    if b"\0" in head and not wide and layout.encoding is None:
        raise neither(file)
    return read_csv(data, layout)


def source_of_table(table: pa.Table, layout: DataParams) -> Source:
    """The rows of a table that is in memory; `layout.source` is what messages call it."""
    names = table.column_names
    picked = pick_columns(names, layout.source, layout.columns, layout.known_future, list(map(is_number, table.schema.types)))
    for canonical, name in ((canonical, name) for canonical, sources in picked.items() for name in sources):
        table = table.set_column(table.column_names.index(name), name, without_extension(table[name]))
        kind = table.schema.field(name).type
        if pa.types.is_null(kind):
            raise UserError(f"{layout.source}: the column {name!r} is empty: fill it in, or name another one for {canonical}")
        if not is_readable(kind, canonical):
            raise UserError(f"{layout.source}: the column {name!r} holds {kind}, not {READABLE.get(canonical, 'numbers')}")
    return finished(table, picked, layout, Source(table, lambda rows: rows + 1, "row", ignored=unused(names, picked)))


def finished(table: pa.Table, picked: Picked, layout: DataParams, source: Source) -> Source:
    """The source with the canonical columns of its file's table, and what was decided about them."""
    table, numbers = with_decimal_points(table, number_columns(picked), layout.decimal, layout.source)
    kept = np.flatnonzero(~np.logical_and.reduce([is_blank(table[name]) for sources in picked.values() for name in sources]))
    skipped = table.num_rows - len(kept)
    find = source.numbers
    if skipped:
        table, source = table.take(to_arrow(kept)), replace(source, numbers=lambda rows: find(kept[rows]))
    decisions = [reading_of(picked, layout.columns), *source.decisions, "" if layout.decimal else numbers,
                 f"{skipped:,} rows without any value are skipped" if skipped else ""]
    return replace(source, table=canonical_table(table, picked), decisions=tuple(filter(None, decisions)))


def number_columns(picked: Picked) -> list[str]:
    """The source's columns of sales and future covariates."""
    return [name for canonical, sources in picked.items() if canonical not in CANONICAL[:3] for name in sources]


def neither(file: str, why: object = "") -> UserError:
    """The error for a file of another kind."""
    return UserError(f"{file} is neither CSV in UTF-8 nor Parquet{f' ({why})' if why else ''}: save it as one of them, or set "
                     "data.encoding in params.yaml")


def read_parquet(data: pa.Buffer, layout: DataParams) -> Source:
    """The needed columns of a Parquet file."""
    try:
        schema = parquet.read_schema(pa.BufferReader(data))
        numeric = list(map(is_number, schema.types))
        picked = pick_columns(schema.names, layout.source, layout.columns, layout.known_future, numeric)
        table = arrow.read_parquet(data, list(dict.fromkeys(name for sources in picked.values() for name in sources)))
    except (pa.ArrowException, OSError) as error:
        raise neither(layout.source, error) from None
    return replace(source_of_table(table, layout), ignored=unused(schema.names, picked))


def read_csv(data: pa.Buffer, layout: DataParams) -> Source:
    """A CSV with a header. A byte order mark, any line endings, blank lines and padded names are mended."""
    file = layout.source
    data, encoding = as_utf8(data, file, layout.encoding)
    line, header_at, end = header_line(data)
    body = data.slice(end)
    try:
        header = line.decode()
        separator = layout.separator or detect_separator(header)
        padded = next(dialect.reader([header], delimiter=separator))
        names = [name.strip() for name in padded]
        numeric = [looks_like_number(value) for value in first_row(body, separator)]
        picked = pick_columns(names, file, layout.columns, layout.known_future, numeric[: len(names)])
        table, ragged = parsed(body, names, picked, separator, layout.decimal)
    except (pa.ArrowInvalid, UnicodeDecodeError, dialect.Error) as error:
        raise neither(file, error) from None

    def lines(rows: np.ndarray) -> np.ndarray:
        found: np.ndarray = line_numbers(body, header_at, separator)[rows]
        return found

    if ragged:
        shown = "; ".join(f"line {lines(np.array(row))}: {text[:60]!r}" for row, text in ragged[:5])
        raise UserError(f"{file}: {len(ragged)} rows have not the header's {len(names)} columns: {shown}. Correct or quote them")
    if table.num_rows == 0:
        raise UserError(f"{file} has a header and no rows")
    marked = data.slice(0, min(3, len(data))).to_pybytes() == BOM
    repairs = {"byte_order_marks_removed": int(marked), "column_names_trimmed": sum(map(str.__ne__, names, padded)),
               "encoding_converted": int(encoding != "utf-8"), **line_endings(data, table.num_rows)}
    decisions = (f"the file is read as {encoding}" if layout.encoding is None and encoding != "utf-8" else "",
                 f"columns are separated by {separator!r}" if layout.separator is None and separator != "," else "")
    return finished(table, picked, layout, Source(table, lines, "line", repairs, unused(names, picked), decisions))


def parsed(body: pa.Buffer, names: list[str], picked: Picked, separator: str, decimal: str | None) -> tuple[pa.Table, Ragged]:
    """The rows below the header, and those that have too few or too many values: position among all rows, text.

    Numbers are float64 where all of them are written with the decimal mark (a point, unless the user names it), else text.
    """
    columns, numbers = list(dict.fromkeys(name for sources in picked.values() for name in sources)), number_columns(picked)
    if len(body) == 0:
        return pa.table({name: pa.array([], pa.string()) for name in columns}), []
    text, number = pa.dictionary(pa.int32(), pa.string()), pa.float64()
    options = csv.ConvertOptions(column_types={name: number if name in numbers else text for name in columns},
                                 include_columns=columns, decimal_point=decimal or ".")
    try:
        table = csv.read_csv(pa.BufferReader(body), csv.ReadOptions(column_names=names), csv.ParseOptions(delimiter=separator),
                             options)
    except pa.ArrowInvalid:  # a value is no number, or a row is ragged
        return parsed_as_text(body, names, columns, separator)
    values = [to_numpy(table[name]) for name in numbers] if decimal is None else []
    if values and could_be_thousands(np.concatenate(values)):
        return parsed_as_text(body, names, columns, separator)
    return table, []


def parsed_as_text(body: pa.Buffer, names: list[str], columns: list[str], separator: str) -> tuple[pa.Table, Ragged]:
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
                         csv.ParseOptions(delimiter=separator, invalid_row_handler=skip, newlines_in_values=True),
                         csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), include_columns=columns))
    return table, ragged
