"""Numbers as text: the decimal mark that all of a file's numbers agree on, and the numbers themselves."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np

from demand.schema.errors import UserError

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?", re.IGNORECASE)
BOOLEANS = {"true": "1", "false": "0"}
MARKS = {".": ",", ",": "."}  # decimal marks, and what groups thousands beside each; a space or an apostrophe beside both
SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009'’", " "))


def grouped(mark: str) -> re.Pattern[str]:
    """Numbers with thousands in groups, a decimal part behind `mark` or none."""
    return re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:([{MARKS[mark]} ])[0-9]{{3}})(?:\1[0-9]{{3}})*(?:[{mark}][0-9]*)?")


def plain(mark: str) -> re.Pattern[str]:
    """Numbers without groups."""
    return re.compile(NUMBER.pattern.replace(r"\.", f"[{mark}]"), re.IGNORECASE)


UNGROUPED = re.compile(r"[+-]?[1-9][0-9]{3,}")  # who writes 1234 does not write 1,234
PLAIN, GROUPED = {mark: plain(mark) for mark in MARKS}, {mark: grouped(mark) for mark in MARKS}


def number_text(text: str, mark: str) -> str | None:
    """The text as `float` reads it; None where it is no number with this decimal mark."""
    text = BOOLEANS.get(text.lower(), text).translate(SPACES)
    if PLAIN[mark].fullmatch(text):
        return text.replace(mark, ".")
    return text.replace(MARKS[mark], "").replace(" ", "").replace(mark, ".") if GROUPED[mark].fullmatch(text) else None


def looks_like_number(text: str) -> bool:
    """Whether a text is a number with some decimal mark."""
    return any(number_text(text.strip(), mark) is not None for mark in MARKS)


def could_be_thousands(values: np.ndarray) -> bool:
    """Whether numbers (N,) that were read with a decimal point leave open that it groups thousands, as in 1.234 for 1234."""
    size = np.abs(values[np.isfinite(values)])
    parts = size[size % 1 != 0]
    return len(parts) > 0 and size.max() < 1000 and parts.min() >= 1 and np.allclose(parts * 1000, np.round(parts * 1000), rtol=0)


def decimal_mark(columns: Mapping[str, Collection[str]], file: str) -> str:
    """The mark with which most of the texts of a file's columns are numbers; a point where no text has any.

    Raises:
        UserError: 1,100 (or 1.100) is 1100 with one mark and 1.1 with the other, and no number of the file tells which.
    """
    distinct = {text for texts in columns.values() for text in texts}
    marked = sorted(text for text in distinct if any(mark in text for mark in MARKS))
    read = {mark: {text: number for text in marked if (number := number_text(text, mark)) is not None} for mark in MARKS}
    point, comma = (len(read[mark]) for mark in MARKS)
    if point != comma:
        return "." if point > comma else ","
    doubtful = [text for text in marked if text in read["."] and text in read[","]]
    if not doubtful:
        return "."
    if any(UNGROUPED.fullmatch(text) for text in distinct):
        return next(mark for mark in MARKS if PLAIN[mark].fullmatch(doubtful[0]))
    column = next(name for name, texts in columns.items() if doubtful[0] in texts)
    raise UserError(f"{file}: {column} {doubtful[0]!r} is {float(read['.'][doubtful[0]]):g} with a decimal point and "
                    f"{float(read[','][doubtful[0]]):g} with a decimal comma, and no other number of the file tells which: set "
                    "data.decimal in params.yaml to '.' or ','")
