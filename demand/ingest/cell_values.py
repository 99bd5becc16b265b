"""What single cells say: ids, days and numbers, parsed once per distinct value."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from demand.ingest.dates import parse_texts, split_time
from demand.ingest.number_formats import NUMBER, decimal_mark, number_text
from demand.panel.arrow import to_arrow, to_numpy
from demand.schema.errors import UserError

LAST_EXACT = 2**53  # beyond it a float has lost digits
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
NO_VALUE = frozenset(csv.ConvertOptions().null_values) | {"None"}
PER_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
YEARS = np.array(["1970-01-01", "2100-01-01"], "M8[D]")  # a date outside them is a typing error that would fill a century


def encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """The column as codes (N,), -1 where null, into its distinct values: parsing those is enough."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    return to_numpy(array.indices, null=-1), array.dictionary


def parse_ids(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Codes (N,) into the sorted ids, those ids, where there is none (N,) bool, and how many rows had spaces around them.

    Ids are int64 where each one is an integer written without leading zeros, text otherwise.
    """
    codes, values = encoded(column)
    padded = texts_of(values)
    if pa.types.is_floating(values.type):  # pandas turns integers with gaps into floats
        if any(abs(float(text or 0)) >= LAST_EXACT for text in padded):
            raise UserError("an id is a floating-point number above 2^53, which has lost digits: write ids as integers or text")
        padded = ["" if text == "nan" else text.removesuffix(".0") for text in padded]
    texts = [text.strip() for text in padded]
    if any("\0" in text for text in texts):
        raise UserError("an id has a NUL character in it: remove it")
    blank = np.array([not text for text in texts] + [True])  # the last stands for null, code -1
    trimmed = np.array([a != b for a, b in zip(texts, padded, strict=True)] + [False])
    integers = all(INTEGER.fullmatch(text) for text in texts if text)
    distinct, position = np.unique(np.array([int(text or 0) for text in texts] if integers else texts), return_inverse=True)
    sorted_ids = distinct if integers else distinct.astype(object)
    return np.append(position, 0)[codes], sorted_ids, blank[codes], int(trimmed[codes].sum())


def parse_days(column: pa.ChunkedArray, form: str | None, cut_times: bool,
               file: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, str]:
    """The days (N,) datetime64[D] of a column, and three times (N,) bool: where there is none; where a time of day other than
    midnight stands behind the day; where any time was cut off. And the format of dates as text, empty for ISO days.

    Args:
        form: of dates as text (strftime); None for the one that they all agree on.
        cut_times: whether a time of day other than midnight is cut off; else its row has no day.

    Raises:
        UserError: the dates as text can be read in two ways, or are no days.
    """
    codes, values = encoded(column)
    if pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
        day, timed = whole_days(values)
        written = ""
        cut = timed & cut_times
    else:
        stripped = [text.strip() for text in texts_of(values)]
        parts = [split_time(text) for text in stripped]
        texts = sorted({text for text, _ in parts})
        days, written = parse_texts(texts, form, file)
        known = dict(zip(texts, days, strict=True))
        day = np.array([known[text] for text, _ in parts], "M8[D]")
        timed = np.array([time for _, time in parts], bool)
        cut = np.array([text != whole for (text, _), whole in zip(parts, stripped, strict=True)], bool)
    none = np.isnat(day) | (day < YEARS[0]) | (day >= YEARS[1])
    timed = timed & ~none
    wrong = none | timed if not cut_times else none
    by_row = [np.append(marks, end)[codes] for marks, end in ((wrong, True), (timed, False), (cut, False))]
    return np.append(day, YEARS[:1])[codes], by_row[0], by_row[1], by_row[2], written


def with_decimal_points(table: pa.Table, columns: Sequence[str], decimal: str | None, file: str) -> tuple[pa.Table, str]:
    """The table with the numbers that are text as `float` reads them, and a sentence on how they were read, if it is news.

    Args:
        columns: those of numbers; the texts of all of them have to agree on one decimal mark.
        decimal: that mark; None to detect it.
    """
    texts = {name: encoded(table[name]) for name in columns if not is_number(table.schema.field(name).type)}
    found = {name: [text.strip() for text in texts_of(values)]
             for name, (_, values) in texts.items()}
    mark = decimal or decimal_mark(found, file)
    example = ""
    for name, (codes, _) in texts.items():
        numbers = [number_text(text, mark) for text in found[name]]
        example = example or next((f"{text!r} is {number}" for text, number in zip(found[name], numbers, strict=True)
                                   if number is not None and "," in text), "")
        written = [unlike(text, mark) if number is None else number for text, number in zip(found[name], numbers, strict=True)]
        column = pa.DictionaryArray.from_arrays(to_arrow(codes.astype("i4"), codes < 0), to_arrow(np.array(written, object)))
        table = table.set_column(table.column_names.index(name), name, column)
    return table, f"numbers are read with a decimal {'point' if mark == '.' else 'comma'}: {example}" if example else ""


def unlike(text: str, mark: str) -> str:
    """A text that is no number with this decimal mark, so that nobody takes it for one."""
    return f"{text} (the decimal mark is {mark!r})" if NUMBER.fullmatch(text) else text


def is_blank(column: pa.ChunkedArray) -> np.ndarray:
    """(N,) bool, where a column has no value, or a text of spaces."""
    null: np.ndarray = to_numpy(column.is_null())
    if is_number(column.type) or pa.types.is_temporal(column.type):
        return null.astype(bool)
    codes, values = encoded(column)
    return np.append([not text.strip() for text in texts_of(values)], True).astype(bool)[codes]


def is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind))


def whole_days(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(N,) datetime64[D] of dates or timestamps, and where a time of day stands behind it (N,) bool, beyond all calendars too.

    Raises:
        UserError: their time zone is not known.
    """
    if pa.types.is_timestamp(values.type) and values.type.tz:
        try:
            values = pc.local_timestamp(values)  # the day of the place, not of Greenwich
        except pa.ArrowInvalid as error:
            raise UserError(f"the dates have a time zone that is not known ({error}): write days, or timestamps in UTC") from None
    if pa.types.is_date32(values.type):
        return to_numpy(values.view(pa.int32())).astype("M8[D]"), np.zeros(len(values), bool)
    unit = values.type.unit if pa.types.is_timestamp(values.type) else "ms"
    day, rest = np.divmod(to_numpy(values.view(pa.int64())), PER_DAY[unit])
    return day.astype("M8[D]"), rest != 0


def texts_of(values: pa.Array) -> list[str]:
    """Each value as text, empty where there is none."""
    try:
        return ["" if value is None else str(value) for value in values.to_pylist()]
    except (OverflowError, ValueError):
        return [text_of_value(value) if value.is_valid else "" for value in values]


def text_of_value(value: pa.Scalar) -> str:
    """A value as text; of a moment beyond Python's calendar the number that is stored."""
    try:
        return str(value.as_py())
    except (OverflowError, ValueError):
        return f"{value.value} as {value.type}"


def parse_numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) float64, NaN where empty, and where the value is no number (N,) bool."""
    if is_number(column.type):
        return to_numpy(pc.cast(column, pa.float64(), safe=False)), np.zeros(len(column), bool)
    codes, values = encoded(column)
    texts = [text.strip() for text in texts_of(values)]
    empty = [text in NO_VALUE for text in texts]
    right = [bool(NUMBER.fullmatch(text)) for text in texts]
    parsed = [float(text) if ok else np.nan for text, ok in zip(texts, right, strict=True)]
    wrong = [not (ok or none) for ok, none in zip(right, empty, strict=True)]
    return np.array([*parsed, np.nan])[codes], np.array([*wrong, False])[codes]
