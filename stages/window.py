"""Cuts the rows that the model is trained on: everything up to the day that the drift stage names.

Reads data/processed/feature_data.parquet and reports/retrain_flag.json. Writes data/processed/train_window.parquet: the rows up
to `train_through` of the series that have begun by then. With one flag, later data gives the same bytes: DVC skips train.
"""

from __future__ import annotations

import json

import numpy as np

from demand.panel.arrow import read_parquet
from demand.panel.training_window import cut_window
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import write_table


def main() -> None:
    through = np.datetime64(json.loads(paths.RETRAIN_FLAG.read_text(encoding="utf-8"))["train_through"], "D")
    table = cut_window(read_parquet(paths.FEATURES), through)
    write_table(paths.WINDOW, table)
    print(f"{table.num_rows:,} rows up to {through}: {paths.WINDOW}")


if __name__ == "__main__":
    run_command(main)
