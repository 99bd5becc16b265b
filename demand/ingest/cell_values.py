"""What single cells say: ids, days and numbers, parsed once per distinct value."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from demand.ingest.dates import parse_texts, split_time
from demand.panel.arrow import to_numpy
from demand.schema.errors import UserError

LAST_EXACT = 2**53  # beyond it a float has lost digits
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
BOOLEANS = {"true": "1", "false": "0"}
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


def parse_days(column: pa.ChunkedArray, form: str | None = None, cut_times: bool = False) -> tuple[np.ndarray, np.ndarray, int]:
    """(N,) datetime64[D], where there is none (N,) bool, and how many rows had a time of day behind the day.

    Args:
        form: of dates as text (strftime); None for the one that they all agree on.
        cut_times: whether a time of day other than midnight is cut off; else its row has no day.

    Raises:
        UserError: the dates as text can be read in two ways.
    """
    codes, values = encoded(column)
    if pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
        day, timed = whole_days(values)
        wrong = np.zeros(len(day), bool) if cut_times else timed
        timed = timed & cut_times
    else:
        written = [text.strip() for text in texts_of(values)]
        parts = [split_time(text) for text in written]
        texts = sorted({text for text, _ in parts})
        known = dict(zip(texts, parse_texts(texts, form), strict=True))
        day = np.array([known[text] for text, _ in parts], "M8[D]")
        within = np.array([time for _, time in parts], bool)
        wrong = np.isnat(day) | (within & (not cut_times))
        timed = np.array([text != whole for (text, _), whole in zip(parts, written, strict=True)], bool)
    wrong |= (day < YEARS[0]) | (day >= YEARS[1])
    return np.append(day, YEARS[:1])[codes], np.append(wrong, True)[codes], int(np.append(timed, False)[codes].sum())


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
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return to_numpy(pc.cast(column, pa.float64(), safe=False)), np.zeros(len(column), bool)
    codes, values = encoded(column)
    texts = [text.strip() for text in texts_of(values)]
    texts = [BOOLEANS.get(text.lower(), text) for text in texts]
    empty = [text in NO_VALUE for text in texts]
    right = [bool(NUMBER.fullmatch(text)) for text in texts]
    parsed = [float(text) if ok else np.nan for text, ok in zip(texts, right, strict=True)]
    wrong = [not (ok or none) for ok, none in zip(right, empty, strict=True)]
    return np.array([*parsed, np.nan])[codes], np.array([*wrong, False])[codes]
