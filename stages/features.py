"""Adds to every series and day what is known of it before the day begins, and the calendar.

Reads data/processed/cleaned_data.parquet. Writes data/processed/feature_data.parquet: its columns, and features.CALENDAR and
features.STATE as of the origin the day before, one row per store, item and day, sorted by them. It has one day more than the
sales, where the next forecast starts.
"""

from __future__ import annotations

from demand.panel.lag_features import feature_table
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import write_table
from workspace.run.panel_file import read_panel


def main() -> None:
    table = feature_table(read_panel(paths.CLEANED))
    write_table(paths.FEATURES, table)
    print(f"{table.num_rows:,} rows, {table.num_columns} columns: {paths.FEATURES}")


if __name__ == "__main__":
    run_command(main)
