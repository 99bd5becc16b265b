"""Days as text: the format that all of a file's dates agree on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from demand.schema.errors import UserError

ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?(Z|[+-]\d{2}:?\d{2})?$")
MIDNIGHT = re.compile(r"[T ]+(00:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])Z?$")
FORMATS = (*(form.replace("-", mark) for mark in "-./ " for form in ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y")),
           "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")


def split_time(text: str) -> tuple[str, bool]:
    """The date part, and whether a time of day other than midnight stands behind it."""
    found = TIME.search(text)
    return (text[: found.start()], not MIDNIGHT.search(text)) if found else (text, False)


def parse_texts(texts: Sequence[str], wanted: str | None) -> np.ndarray:
    """(N,) datetime64[D] of distinct dates, not-a-time where one is none.

    Args:
        wanted: the format (strftime); None where all dates have to agree on one.

    Raises:
        UserError: two formats read all dates, and differ.
    """
    if wanted is not None:
        return read_as(texts, wanted)
    given = [text for text in texts if text]
    if not given or sum(bool(ISO.fullmatch(text)) for text in given) * 2 >= len(given):
        return read_as(texts, "%Y-%m-%d", strict=ISO)
    read = {form: days for form in FORMATS if not np.isnat(days := read_as(given, form)).any()}
    if not read:
        return read_as(texts, "%Y-%m-%d", strict=ISO)
    (first, days), *others = read.items()
    for other, theirs in others:
        differ = np.flatnonzero(days != theirs)
        if len(differ):
            n = int(differ[0])
            raise UserError(f"the date {given[n]!r} is {days[n]} if written as {first}, {theirs[n]} if as {other}, as are all "
                            "others: set data.date_format in params.yaml to one of them")
    return read_as(texts, first)


def read_as(texts: Sequence[str], form: str, strict: re.Pattern[str] | None = None) -> np.ndarray:
    """(N,) datetime64[D], not-a-time where a text is no date of this form."""
    def one(text: str) -> np.datetime64:
        if not text.isascii() or (strict is not None and not strict.fullmatch(text)):
            return np.datetime64("NaT", "D")
        try:
            return np.datetime64(datetime.strptime(text, form).date(), "D")
        except ValueError:
            return np.datetime64("NaT", "D")

    return np.array([one(text) for text in texts], "M8[D]")
