"""numpy arrays into Arrow and back, without pandas.

pyarrow's own conversions (pa.array, pa.scalar, to_numpy, parquet.read_table) import pandas where it is installed, only to ask
whether they were handed something of pandas: 0.3 to 0.5 s in every stage.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet


def to_arrow(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """(N,) numbers, booleans, datetime64[D] or objects of str. NaN, and where `missing` (N,) bool says so, become null."""
    if missing is None and values.dtype.kind == "f":
        missing = np.isnan(values)
    valid = None if missing is None or not missing.any() else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    if values.dtype.kind == "O":
        texts = [text.encode() for text in values]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        return pa.Array.from_buffers(pa.string(), len(values), [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])
    if values.dtype.kind == "b":
        return pa.Array.from_buffers(pa.bool_(), len(values), [valid, pa.py_buffer(np.packbits(values, bitorder="little"))])
    if values.dtype.kind == "M":
        data, kind = values.astype("M8[D]").astype(np.int32), pa.date32()
    else:
        data, kind = np.ascontiguousarray(values), pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(data), [valid, pa.py_buffer(data)])


def to_numpy(column: pa.Array | pa.ChunkedArray, null: float = np.nan) -> np.ndarray:
    """The reverse: numbers with `null` where they are null (read-only where there are none), datetime64[D], or objects of str."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    if pa.types.is_dictionary(column.type):
        return to_numpy(column.dictionary)[to_numpy(column.indices)]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist(), object)
    if pa.types.is_date32(column.type):
        return to_numpy(column.view(pa.int32())).astype("M8[D]")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if column.null_count == 0:
        return np.from_dlpack(column)
    valid = np.from_dlpack(column.is_valid().cast(pa.uint8())).astype(bool)
    values = np.frombuffer(column.buffers()[1], column.type.to_pandas_dtype())[column.offset : column.offset + len(column)]
    return np.where(valid, values, np.asarray(null, values.dtype if values.dtype.kind == "f" else None))


def buffer_of(content: bytes) -> pa.Buffer:
    """A copy in Arrow's own memory: where a process ends while Arrow's threads let go of memory of Python's, it is aborted.

    See issues 34314 and 49942 of apache/arrow.
    """
    stream = pa.BufferOutputStream()
    stream.write(content)
    return stream.getvalue()


def read_parquet(source: Path | pa.Buffer, columns: list[str] | None = None) -> pa.Table:
    """A Parquet file's table, or some of its columns."""
    return parquet.ParquetFile(pa.BufferReader(source) if isinstance(source, pa.Buffer) else source).read(columns)
