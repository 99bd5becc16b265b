"""How a CSV file is written: its encoding, what separates its columns, and what is unusual between its lines."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pyarrow as pa

from demand.panel.arrow import buffer_of
from demand.schema.errors import UserError

BOM = b"\xef\xbb\xbf"
WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # byte order marks of two-byte encodings
EXCELS = re.compile(rb'"?sep=.?"?', re.IGNORECASE)
FALLBACK = "cp1252"  # what is not UTF-8 is most often Windows'
SEPARATORS = (",", ";", "\t", "|")
NEWLINE, RETURN = 10, 13
CHUNK = 1 << 20  # bytes looked at together


def as_utf8(data: pa.Buffer, file: str, encoding: str | None) -> tuple[pa.Buffer, str]:
    """The file in UTF-8, and the encoding it was read in. What is UTF-8 already is not copied."""
    if encoding is None:
        encoding = WIDE.get(data.slice(0, min(2, len(data))).to_pybytes(), "utf-8")
        if encoding == "utf-8" and not is_utf8(data):
            encoding = FALLBACK
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return data, "utf-8"
    try:
        return buffer_of(data.to_pybytes().decode(encoding).encode()), encoding
    except LookupError:
        raise UserError(f"params.yaml: data.encoding = {encoding!r} is no encoding: utf-8, cp1252, ...") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not written in {encoding} ({error}): correct data.encoding in params.yaml") from None


def is_utf8(data: pa.Buffer) -> bool:
    """Whether the whole file is UTF-8."""
    try:
        str(data.to_pybytes(), "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def detect_separator(header: str) -> str:
    """Of SEPARATORS the one that gives the header most names."""
    return max(SEPARATORS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))


def header_line(data: pa.Buffer) -> tuple[bytes, int, int]:
    """The first line that is not blank, its number, and where the next one begins.

    A byte order mark is left out, and the line sep=; by which Excel knows the separator.
    """
    number, line = 0, b""
    end = len(BOM) if data.slice(0, min(len(BOM), len(data))).to_pybytes() == BOM else 0
    for line in data.slice(end, min(CHUNK, len(data) - end)).to_pybytes().splitlines(keepends=True):
        number, end = number + 1, end + len(line)
        if line.strip() and not EXCELS.fullmatch(line.strip()):
            break
    return line.strip(b"\r\n"), number, end


def first_row(body: pa.Buffer, separator: str) -> list[str]:
    """The values of the first row below the header."""
    head = body.slice(0, min(CHUNK, len(body))).to_pybytes().decode(errors="replace").splitlines()
    return next(csv.reader([next((line for line in head if line.strip()), "")], delimiter=separator), [])


def line_numbers(body: pa.Buffer, header_at: int, separator: str) -> np.ndarray:
    """(rows,) the line on which each row of the file stands, blank lines left out. Slow, for messages."""
    text = body.to_pybytes()
    if b'"' not in text:
        return np.array([n for n, line in enumerate(text.splitlines(), header_at + 1) if line.strip()], int)
    reader = csv.reader(io.StringIO(text.decode(errors="replace"), newline=""), delimiter=separator)
    found, before = [], 0
    for row in reader:
        if any(cell.strip() for cell in row) or len(row) > 1:
            found.append(header_at + before + 1)
        before = reader.line_num
    return np.array(found, int)


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
