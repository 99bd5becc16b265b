"""The next days of every series as a table: data/forecast/forecast.parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_arrow
from demand.panel.fitted_model import FittedModel
from demand.panel.forecast import LEVELS, Forecast
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from demand.schema.listing import SHOWN, list_some


def forecast_next_days(panel: Panel, model: FittedModel, horizon: int) -> Forecast:
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


def forecast_table(panel: Panel, made: Forecast) -> pa.Table:
    """The long form: see above."""
    series, day = (index.ravel() for index in np.indices(made.point.shape))
    columns = {"store": panel.store[series], "item": panel.item[series], "date": (made.origin + 1 + day).astype("M8[D]"),
               "horizon": (day + 1).astype("i2"), "forecast": made.point.ravel()}
    for level in LEVELS:
        columns |= {f"lo_{level}": made.low[level].ravel(), f"hi_{level}": made.high[level].ravel()}
    return pa.table({name: to_arrow(values) for name, values in columns.items()})


def off_sale_message(panel: Panel, since: np.ndarray) -> str:
    """The series that are off sale, those that left last named first; empty without any.

    Args:
        since: (S,) datetime64[D], NaT for series on sale.
    """
    off = np.flatnonzero(~np.isnat(since))
    if not len(off):
        return ""
    newest = off[np.argsort(-since[off].astype(int), kind="stable")]
    named = [f"store {panel.store[s]}, item {panel.item[s]} since {since[s]}" for s in newest[:SHOWN]]
    what = "series is" if len(off) == 1 else "series are"
    return (f"{len(off):,} {what} judged off sale, and forecast by the chance to come back: "
            f"{list_some(named, total=len(off), separator='; ')}")
