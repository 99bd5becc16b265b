"""Forecasts the next forecast.horizon days of every series from the newest data.

The champion forecasts, or the candidate while no champion can (demand/champion/serving_rule.py). Reads
data/processed/feature_data.parquet, models/champion.json with the model that it names, or models/model.pkl, and data.test_file.
Writes data/forecast/forecast.parquet, one row per store, item and day, sorted by them: store, item, date, horizon (days after
the last one with sales), forecast (expected sales) and lo_80, hi_80, lo_95, hi_95 (ends of the intervals), units per day;
data/forecast/totals.parquet, one row per sum over 7 or 28 days (columns: demand/planning/totals_table.py); and
data/forecast/submission.csv with id, sales for the rows of the test file.
"""

from __future__ import annotations

import csv
from pathlib import Path

from demand.ingest.data_params import DataParams
from demand.planning.forecast_params import ForecastParams
from demand.planning.forecast_table import forecast_next_days, forecast_table, off_sale_message
from demand.planning.submission import GIVEN, read_test_file, submission_rows
from demand.planning.totals_table import totals_table
from workspace.registry.serving import serving_model
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import file_bytes, whole_file, write_table
from workspace.run.panel_file import read_panel
from workspace.run.params_file import load_params


def main() -> None:
    source, days = load_params(DataParams, ForecastParams)
    panel = read_panel()
    serving = serving_model(panel.last_day, panel.known_names, days.horizon)
    made = forecast_next_days(panel, serving.model, days.horizon)
    test = file_bytes(Path(source.test_file), "set data.test_file in params.yaml to a CSV with id, date, store, item")
    answer = submission_rows(read_test_file(test, source.test_file), source.test_file, panel, made)
    write_table(paths.FORECAST, forecast_table(panel, made))
    write_table(paths.TOTALS, totals_table(panel, made, serving.model.joint_error))
    with whole_file(paths.SUBMISSION) as part, part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([GIVEN, *answer])
    if message := off_sale_message(panel, serving.model.off_sale_since(panel, made.origin)):
        print(message)
    by = serving.champion.version if serving.champion else f"the candidate, as {serving.reason}"
    mark = "" if serving.scored else "unscored "
    print(f"{made.point.size:,} {mark}forecasts from {made.origin + 1} on by {by}: {paths.FORECAST}")


if __name__ == "__main__":
    run_command(main)
