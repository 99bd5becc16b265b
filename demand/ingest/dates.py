"""Days as text: the format that all of a file's dates agree on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from demand.schema.errors import UserError

ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$")
MIDNIGHT = re.compile(r"[T ]+(0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$")
ORDERS = ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y")
NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y")
FORMATS = (*(order.replace("-", mark) for mark in "-./ " for order in ORDERS), "%Y%m%d", *NAMED)
PERIODS = {"months": re.compile(r"\d{4}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{4}|(19|20)\d{2}(0[1-9]|1[0-2])|"
                               r"[A-Za-z]{3,9}[-/. ]\d{2,4}", re.ASCII),
           "weeks": re.compile(r"\d{4}[-/. ]?[WwK]+\d{1,2}|[WwK]+\d{1,2}[-/. ]?\d{4}", re.ASCII),
           "quarters": re.compile(r"\d{4}[-/. ]?[Qq]\d|[Qq]\d[-/. ]?\d{4}", re.ASCII)}
SERIAL = re.compile(r"[34]\d{4}(\.0+)?", re.ASCII)  # days since 1899-12-30: 1982 to 2036


def split_time(text: str) -> tuple[str, bool]:
    """The date part, and whether a time of day other than midnight stands behind it."""
    found = TIME.search(text)
    return (text[: found.start()], not MIDNIGHT.search(text)) if found else (text, False)


def parse_texts(texts: Sequence[str], wanted: str | None, file: str) -> tuple[np.ndarray, str]:
    """(N,) datetime64[D] of distinct dates, not-a-time where one is none; and the format, empty for ISO days.

    Args:
        wanted: the format (strftime); None for the one that reads most of the dates.

    Raises:
        UserError: two formats read all dates, and differ; or the dates are no days.
    """
    if wanted is not None:
        return read_as(texts, wanted), wanted
    given = [text for text in texts if text]
    refuse_periods(given, file)
    if not given or sum(bool(ISO.fullmatch(text)) for text in given) * 2 >= len(given):
        return read_as(texts, "%Y-%m-%d", strict=ISO), ""
    read = {form: read_as(given, form) for form in FORMATS}
    first = max(read, key=lambda form: int((~np.isnat(read[form])).sum()))
    days = read[first]
    if np.isnat(days).all():
        return read_as(texts, "%Y-%m-%d", strict=ISO), ""
    for other, theirs in read.items():
        differ = np.flatnonzero(days != theirs)
        if len(differ) and not np.isnat(days).any() and not np.isnat(theirs).any():
            n = int(differ[0])
            raise UserError(f"{file}: the date {given[n]!r} is {days[n]} if written as {first}, {theirs[n]} if as {other}, "
                            "as are all others: set data.date_format in params.yaml to one of them")
    return read_as(texts, first), first


def refuse_periods(texts: Sequence[str], file: str) -> None:
    """Raise where all dates are months, weeks, quarters or a spreadsheet's day numbers."""
    for name, form in PERIODS.items():
        if texts and all(form.fullmatch(text) for text in texts):
            raise UserError(f"{file} has {name} ({texts[0]!r}), no days: forecasts are of days, and learn from weekdays. Export "
                            "the sales per day, or per week with the day on which each begins")
    if texts and all(SERIAL.fullmatch(text) for text in texts):
        raise UserError(f"{file} has a spreadsheet's day numbers ({texts[0]!r}), no dates: format the column as a date "
                        "(YYYY-MM-DD) before it is saved as CSV")


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
