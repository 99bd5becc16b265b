"""Forecasts the next forecast.horizon days of every series from the newest data.

The champion does it, or the candidate while there is none that can: see versions.obstacle. Reads
data/processed/feature_data.parquet, models/champion.json with the model that it names, or models/model.pkl, and data.test_file.
Writes data/forecast/forecast.parquet, one row per store, item and day, sorted by them: store, item, date, horizon (days after
the last one with sales), forecast (expected sales) and lo_80, hi_80, lo_95, hi_95 (ends of the intervals), units per day; and
data/forecast/submission.csv with id, sales for the rows of the test file.
"""

from __future__ import annotations

import csv

import joblib
import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from stages import champion, entry, paths
from stages.forecasting import submission, versions
from stages.forecasting.arrow import read_parquet, to_arrow
from stages.forecasting.errors import UserError
from stages.forecasting.features import STATE
from stages.forecasting.model import DemandModel, Forecast
from stages.forecasting.panel import Panel, from_table
from stages.forecasting.scores import LEVELS

NEEDS = ", ".join(submission.ASKED)


def forecast(panel: Panel, model: DemandModel, horizon: int) -> Forecast:
    """The days after the panel's last; raises where a known-future column has no value for one of them."""
    origin = panel.last_day
    ahead = panel.extended(horizon)
    start = ahead.column(origin) + 1
    empty = np.isnan(ahead.known[:, start:start + horizon])
    if empty.any():
        series, day, column = np.argwhere(empty)[0]
        raise UserError(
            f"{ahead.known_names[column]} has no value on {ahead.dates[start + day]} for store {ahead.store[series]}, item "
            f"{ahead.item[series]}, and {empty.sum() - 1:,} more are missing: data.known_future needs every day up to "
            f"{origin + horizon}. Add rows with empty sales, or lower forecast.horizon")
    return model.predict(ahead, origin, horizon)


def to_table(panel: Panel, made: Forecast) -> pa.Table:
    """The long form: see above."""
    series, day = (index.ravel() for index in np.indices(made.point.shape))
    columns = {"store": panel.store[series], "item": panel.item[series], "date": (made.origin + 1 + day).astype("M8[D]"),
               "horizon": (day + 1).astype("i2"), "forecast": made.point.ravel()}
    for level in LEVELS:
        columns |= {f"lo_{level}": made.low[level].ravel(), f"hi_{level}": made.high[level].ravel()}
    return pa.table({name: to_arrow(values) for name, values in columns.items()})


def asked(file: str) -> pa.Table:
    """The rows of the test file, as text."""
    try:
        names = arrow_csv.open_csv(file).schema.names
        as_text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = arrow_csv.read_csv(file, convert_options=as_text)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{file} cannot be read ({error}): data.test_file in params.yaml needs a CSV with {NEEDS}") from None
    missing = [name for name in submission.ASKED if name not in names]
    if missing:
        raise UserError(f"{file} has no column {', '.join(missing)}: data.test_file needs {NEEDS}")
    return table


def main() -> None:
    params = entry.load_params()
    panel = from_table(read_parquet(paths.FEATURES), params.data.known_future, STATE)
    current = champion.read()
    if current is not None and (obstacle := versions.obstacle(current, panel.last_day, panel.known_names)):
        print(f"{obstacle}: the candidate forecasts instead")
        current = None
    model = joblib.load(paths.MODEL) if current is None else champion.load_model(current)
    made = forecast(panel, model, params.forecast.horizon)
    answer = submission.answer(asked(params.data.test_file), params.data.test_file, panel, made)
    entry.write_table(paths.FORECAST, to_table(panel, made))
    with entry.whole_file(paths.SUBMISSION) as part, part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([submission.GIVEN, *answer])
    by = current.version if current else "the candidate"
    print(f"{made.point.size:,} forecasts from {made.origin + 1} on by {by}: {paths.FORECAST}")


if __name__ == "__main__":
    entry.run(main)
