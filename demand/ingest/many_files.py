"""Several files as one source: exports by day or month, CSV and Parquet, whose rows stand one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from demand.ingest.data_params import DataParams
from demand.ingest.table_reader import Source, read


def read_files(files: Sequence[tuple[str, pa.Buffer]], layout: DataParams) -> Source:
    """The rows of all files, in their order.

    Args:
        files: name and content of each.
        layout: how they are read; their dialects and kinds may differ, their columns may not.

    Raises:
        UserError: one of them cannot be read.
    """
    sources = [read(data, layout.model_copy(update={"source": name})) for name, data in files]
    if len(sources) == 1:
        return sources[0]
    starts = np.cumsum([0, *(source.table.num_rows for source in sources)])

    def numbers(rows: np.ndarray) -> np.ndarray:
        """What a reader finds the rows by, the file named behind it."""
        at = np.searchsorted(starts, rows, side="right") - 1
        return np.array([f"{sources[k].numbers(np.array([row - starts[k]]))[0]} of {files[k][0]}"
                         for k, row in zip(at.tolist(), rows.tolist(), strict=True)], object)

    return Source(stacked([source.table for source in sources]), numbers,
                  sources[0].unit if len({source.unit for source in sources}) == 1 else "row",
                  {key: sum(source.repairs.get(key, 0) for source in sources) for source in sources for key in source.repairs},
                  tuple(dict.fromkeys(name for source in sources for name in source.ignored)),
                  tuple(dict.fromkeys(sentence for source in sources for sentence in source.decisions)))


def stacked(tables: list[pa.Table]) -> pa.Table:
    """The tables below each other; a column whose types differ becomes text."""
    for name in tables[0].column_names:
        if len({table[name].type for table in tables}) > 1:
            tables = [table.set_column(table.column_names.index(name), name, table[name].cast(pa.string())) for table in tables]
    return pa.concat_tables([table.select(tables[0].column_names) for table in tables])
