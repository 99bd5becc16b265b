"""The pipeline's panels on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from demand.panel.lag_features import known_future_columns
from demand.panel.long_table import CLEANED, from_table, wrong_columns
from demand.schema.errors import UserError
from workspace.run import paths
from workspace.run.files import file_bytes

if TYPE_CHECKING:
    from demand.panel.panel import Panel


def read_panel(file: Path = paths.FEATURES, content: bytes | None = None) -> Panel:
    """The panel of a Parquet file of the pipeline, with every known-future column of the file.

    Args:
        content: the file's bytes, where they have been read already.

    Raises:
        UserError: the file is missing or damaged.
    """
    opened = open_parquet(file, content)
    known = known_future_columns(opened.schema_arrow.names)
    return from_table(rows(opened, file, (*CLEANED, *known)), known)


def read_rows(file: Path) -> pa.Table:
    """All columns of such a file, one row per store, item and day. Raises as read_panel does."""
    opened = open_parquet(file)
    return rows(opened, file, tuple(opened.schema_arrow.names))


def open_parquet(file: Path, content: bytes | None = None) -> parquet.ParquetFile:
    """The file, opened; a small one is read whole."""
    content = file_bytes(file, remedy(file)) if content is None else content
    try:
        return parquet.ParquetFile(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise damaged(file, error) from None


def rows(opened: parquet.ParquetFile, file: Path, columns: tuple[str, ...]) -> pa.Table:
    """Some columns of an opened file, of the kinds that the pipeline writes."""
    try:
        wanted = [name for name in columns if name in opened.schema_arrow.names]
        table = opened.read(wanted, use_threads=False)  # Arrow's threads can abort a process that ends at once
    except (pa.ArrowException, OSError) as error:
        raise damaged(file, error) from None
    wrong = wrong_columns(table, known_future_columns(table.column_names))
    if wrong:
        raise damaged(file, wrong)
    return table


def damaged(file: Path, why: object) -> UserError:
    return UserError(f"{file} cannot be read ({why}): {remedy(file)}")


def remedy(file: Path) -> str:
    return f"run dvc repro, or dvc pull {file}"
