"""Adds to every series and day what is known of it before the day begins, and the calendar.

Reads data/processed/cleaned_data.parquet. Writes data/processed/feature_data.parquet: its columns, and features.CALENDAR and
features.STATE as of the origin the day before, one row per store, item and day, sorted by them. It has one day more than the
sales, where the next forecast starts.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from stages import entry, paths
from stages.forecasting.arrow import read_parquet, to_arrow
from stages.forecasting.features import STATE, calendar, with_state
from stages.forecasting.panel import ABSENT, Panel, from_table, to_table


def feature_table(panel: Panel) -> pa.Table:
    """The long form of the panel (with state), and the calendar of its days."""
    row, day = np.nonzero(panel.status != ABSENT)
    assert panel.state is not None
    table = to_table(panel)
    for name, values in calendar(panel.dates).items():
        table = table.append_column(name, to_arrow(values[day]))
    for f, name in enumerate(STATE):
        table = table.append_column(name, to_arrow(panel.state[row, day, f]))
    return table


def main() -> None:
    known = entry.load_params().data.known_future
    table = feature_table(with_state(from_table(read_parquet(paths.CLEANED), known)))
    entry.write_table(paths.FEATURES, table)
    print(f"{table.num_rows:,} rows, {table.num_columns} columns: {paths.FEATURES}")


if __name__ == "__main__":
    entry.run(main)
