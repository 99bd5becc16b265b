"""Files, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demand.schema.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

REPRO = "run dvc repro first"  # the remedy for a record that a stage writes

@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it when the block ends well: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet: the same rows give the same bytes, however the table was put together."""
    from pyarrow import parquet

    with whole_file(path) as part:
        parquet.write_table(table.combine_chunks(), part, compression="zstd")


def write_json(path: Path, content: Any) -> None:
    """Write JSON in a form that is stable and reads well in a diff."""
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def file_bytes(path: Path, remedy: str) -> bytes:
    """A file's content; a UserError with the remedy where there is none. What is no file, such as a FIFO, is not opened."""
    try:
        if path.is_file():
            return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {remedy}") from None
    if os.path.lexists(path):
        raise UserError(f"{path} cannot be read, as it is no file: remove it, then {remedy}")
    raise UserError(f"{path} is missing: {remedy}")


def file_text(path: Path, remedy: str) -> str:
    """The same as text."""
    try:
        return file_bytes(path, remedy).decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8 ({error}): {remedy}") from None


def read_json(path: Path, remedy: str) -> Any:
    """A file's JSON; a UserError with the remedy where there is none."""
    content = file_bytes(path, remedy)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON ({error}): {remedy}") from None
