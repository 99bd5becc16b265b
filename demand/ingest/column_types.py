"""Which of Arrow's types a column of a Parquet file or data frame may have."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pyarrow as pa
from pyarrow import types

from demand.ingest.cell_values import encoded, is_number
from demand.panel.arrow import to_arrow

READABLE = {"date": "dates or text", "store": "text or integers", "item": "text or integers"}  # others: numbers


def without_extension(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of an extension type (UUID, JSON) as what it is stored as; UUIDs as text."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    stored = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if column.type != pa.uuid():
        return stored
    codes, values = encoded(stored)
    texts = np.array([str(UUID(bytes=value)) for value in values.to_pylist()], object)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(to_arrow(codes.astype("i4"), codes < 0), to_arrow(texts))])


def is_readable(kind: pa.DataType, canonical: str) -> bool:
    """Whether a column of that type can be a date, store, item, sales or a future covariate."""
    if types.is_dictionary(kind):
        return is_readable(kind.value_type, canonical)
    if is_number(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return True
    return bool(types.is_date(kind) and canonical in READABLE) or bool(types.is_timestamp(kind) and canonical == "date")
