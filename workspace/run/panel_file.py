"""The pipeline's panels on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from demand.panel.lag_features import known_future_columns
from demand.panel.long_table import CLEANED, from_table
from demand.schema.errors import UserError
from workspace.run import paths

if TYPE_CHECKING:
    from demand.panel.panel import Panel


def read_panel(file: Path = paths.FEATURES, content: bytes | None = None) -> Panel:
    """The panel of feature_data.parquet or train_window.parquet, with every known-future column of the file.

    Args:
        content: the file's bytes, where they have been read already.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        data = file if content is None else pa.py_buffer(content)
        opened = parquet.ParquetFile(pa.BufferReader(data) if isinstance(data, pa.Buffer) else data)
        known = known_future_columns(opened.schema_arrow.names)
        return from_table(opened.read([*CLEANED, *known]), known)
    except FileNotFoundError:
        raise UserError(f"{file} is missing: run dvc repro, or dvc pull {file}") from None
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}): run dvc repro, or dvc pull {file}") from None
