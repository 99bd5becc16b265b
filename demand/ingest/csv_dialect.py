"""How a CSV file is written: its encoding, what separates its columns, and its decimal mark."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import pyarrow as pa

from demand.schema.errors import UserError

BOM = b"\xef\xbb\xbf"
WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # byte order marks of two-byte encodings
FALLBACK = "cp1252"  # what is not UTF-8 is most often Windows'
SEPARATORS = (",", ";", "\t", "|")
COMMA_NUMBER = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})*,\d+|[+-]?\d+,\d+")
LOOKED_AT = 1 << 16  # bytes that tell the decimal mark


@dataclass(frozen=True)
class Dialect:
    """What was said in params.yaml, or detected."""

    separator: str
    decimal: str


def as_utf8(data: pa.Buffer, file: str, encoding: str | None) -> tuple[pa.Buffer, str]:
    """The file in UTF-8, and the encoding it was read in. What is UTF-8 already is not copied."""
    if encoding is None:
        encoding = WIDE.get(data.slice(0, min(2, len(data))).to_pybytes(), "utf-8")
        if encoding == "utf-8" and not is_utf8(data):
            encoding = FALLBACK
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return data, "utf-8"
    try:
        return pa.py_buffer(data.to_pybytes().decode(encoding).encode()), encoding
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


def detect_dialect(header: str, body: pa.Buffer, separator: str | None, decimal: str | None) -> Dialect:
    """Of SEPARATORS the one that gives the header most names; a decimal comma where numbers have one."""
    if separator is None:
        separator = max(SEPARATORS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))
    if decimal is None:
        start = body.slice(0, min(len(body), LOOKED_AT)).to_pybytes().decode(errors="replace").splitlines()[:-1]
        cells = (cell.strip() for row in csv.reader(start, delimiter=separator) for cell in row)
        decimal = "," if separator != "," and any(COMMA_NUMBER.fullmatch(cell) for cell in cells) else "."
    return Dialect(separator, decimal)
