"""What single cells say: ids, days and numbers, parsed once per distinct value."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from pyarrow import csv

from demand.panel.arrow import to_numpy

DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?Z?")
INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
NO_VALUE = frozenset(csv.ConvertOptions().null_values) | {"None"}
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
    padded = ["" if value is None or value != value else str(value) for value in values.to_pylist()]
    if pa.types.is_floating(values.type):  # pandas turns integers with gaps into floats
        padded = [text.removesuffix(".0") for text in padded]
    texts = [text.strip() for text in padded]
    blank = np.array([not text for text in texts] + [True])  # the last stands for null, code -1
    trimmed = np.array([a != b for a, b in zip(texts, padded, strict=True)] + [False])
    integers = all(INTEGER.fullmatch(text) for text in texts if text)
    distinct, position = np.unique(np.array([int(text or 0) for text in texts] if integers else texts), return_inverse=True)
    sorted_ids = distinct if integers else distinct.astype(object)
    return np.append(position, 0)[codes], sorted_ids, blank[codes], int(trimmed[codes].sum())


def parse_days(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, int]:
    """(N,) datetime64[D], where there is none (N,) bool, and how many rows wrote midnight behind the day."""
    codes, values = encoded(column)
    if pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
        moment = to_numpy(values.cast(pa.timestamp("us"), safe=False).view(pa.int64())).astype("M8[us]")
        day = moment.astype("M8[D]")
        wrong = day != moment
        timed = np.zeros(len(day), bool)
    else:
        texts = [str(value).strip() for value in values.to_pylist()]
        parsed = [parse_day(text) for text in texts]
        day = np.array(parsed, "M8[D]")
        wrong = np.isnat(day)
        timed = np.array([len(text) > 10 for text in texts], bool)
    wrong |= (day < YEARS[0]) | (day >= YEARS[1])
    return np.append(day, YEARS[:1])[codes], np.append(wrong, True)[codes], int(np.append(timed, False)[codes].sum())


def parse_day(text: str) -> np.datetime64:
    match = DATE.fullmatch(text)
    try:
        return np.datetime64(match[1] if match else "NaT", "D")
    except ValueError:
        return np.datetime64("NaT")


def parse_numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) float64, NaN where empty, and where the value is no number (N,) bool."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return to_numpy(column.cast(pa.float64())), np.zeros(len(column), bool)
    codes, values = encoded(column)
    texts = ["" if value is None else str(value).strip() for value in values.to_pylist()]
    empty = [text in NO_VALUE for text in texts]
    right = [bool(NUMBER.fullmatch(text)) for text in texts]
    parsed = [float(text) if ok else np.nan for text, ok in zip(texts, right, strict=True)]
    wrong = [not (ok or none) for ok, none in zip(right, empty, strict=True)]
    return np.array([*parsed, np.nan])[codes], np.array([*wrong, False])[codes]
