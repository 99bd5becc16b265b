"""Cuts the rows that the model is trained on: everything up to the day that the drift stage names.

Reads data/processed/feature_data.parquet and reports/retrain_flag.json. Writes data/processed/train_window.parquet: the rows up
to `train_through` of the series that have begun by then. With one flag, later data gives the same bytes: DVC skips train.
"""

from __future__ import annotations

import numpy as np

from demand.panel.training_window import RetrainFlag, cut_window
from demand.schema.json_record import parse_record
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import read_json, write_table
from workspace.run.panel_file import read_rows

REPRO = "run dvc repro"


def main() -> None:
    flag = parse_record(RetrainFlag, read_json(paths.RETRAIN_FLAG, REPRO), str(paths.RETRAIN_FLAG), REPRO)
    through = np.datetime64(flag.train_through, "D")
    table = cut_window(read_rows(paths.FEATURES), through)
    write_table(paths.WINDOW, table)
    print(f"{table.num_rows:,} rows up to {through}: {paths.WINDOW}")


if __name__ == "__main__":
    run_command(main)
