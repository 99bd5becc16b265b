"""Cuts the rows that the model is trained on: everything up to the day that the drift stage names.

Reads data/processed/feature_data.parquet and reports/retrain_flag.json. Writes data/processed/train_window.parquet: the rows up
to `train_through` of the series that have begun by then. With one flag, later data gives the same bytes: DVC skips train.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from stages import entry, paths
from stages.forecasting.arrow import read_parquet, to_numpy
from stages.forecasting.errors import UserError
from stages.forecasting.panel import STATUSES, keys


def window(table: pa.Table, through: np.datetime64) -> pa.Table:
    """The rows of the feature table up to a day, in its order, without series that have no sales by then."""
    _, _, day, new_series = keys(table)
    series = np.cumsum(new_series) - 1
    known = to_numpy(table["status"].combine_chunks().indices)
    sold = (day <= through) & np.isin(known, [STATUSES.index(name) for name in STATUSES if name not in ("future", "absent")])
    begun = np.zeros(int(series[-1]) + 1, bool)
    begun[series[sold]] = True
    rows = (day <= through) & begun[series]
    if not rows.any():
        raise UserError(f"{paths.RETRAIN_FLAG}: there are no sales up to {through}: set data.as_of to a later day, or roll back")
    return table.filter(pa.array(rows))


def main() -> None:
    through = np.datetime64(json.loads(paths.RETRAIN_FLAG.read_text(encoding="utf-8"))["train_through"], "D")
    table = window(read_parquet(paths.FEATURES), through)
    entry.write_table(paths.WINDOW, table)
    print(f"{table.num_rows:,} rows up to {through}: {paths.WINDOW}")


if __name__ == "__main__":
    entry.run(main)
