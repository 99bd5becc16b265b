"""Validates and cleans the source and completes its days.

Reads the file or folder at `data.source` (CSV or Parquet: docs/data.md), `data.events`, `data.items`, `data.stores`. Writes
data/processed/cleaned_data.parquet, one row per store, item and day from the series' first sale on, sorted by them (columns: see
demand/panel/panel.py), and metrics/prepare.json, which counts every change. The rules: demand/cleaning.
"""

from __future__ import annotations

from pyarrow import parquet

from demand.cleaning.cleaning_report import decisions, prepare
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest.data_params import DataParams
from demand.panel.long_table import to_table
from demand.planning.forecast_params import ForecastParams
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file, write_json
from workspace.run.params_file import load_params
from workspace.run.source_files import read_side_table, read_source


def main() -> None:
    source, rules, days = load_params(DataParams, PrepareParams, ForecastParams)
    tables = {key: read_side_table(key, file) for key, file in
              (("events", source.events), ("items", source.items), ("stores", source.stores))}
    panel, metrics = prepare(read_source(source.source, source.files), source, rules, days.horizon, tables)
    with whole_file(paths.CLEANED) as part:
        parquet.write_table(to_table(panel), part, compression="zstd")
    write_json(paths.PREPARE_METRICS, metrics)
    for line in decisions(metrics):
        print(line)
    filled = metrics["missing_days_filled"] + metrics["missing_values_filled"]
    print(f"{metrics['series']:,} series up to {metrics['last_day']}: {filled:,} days filled, {metrics['closed_days']:,} closed, "
          f"{metrics['outliers_lowered']:,} outliers lowered: {paths.CLEANED}")


if __name__ == "__main__":
    run_command(main)
