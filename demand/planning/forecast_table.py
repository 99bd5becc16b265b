"""The next days of every series as a table: data/forecast/forecast.parquet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_arrow
from demand.panel.fitted_model import FittedModel
from demand.panel.forecast import LEVELS, Forecast
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from demand.schema.listing import SHOWN, list_some


def forecast_next_days(panel: Panel, model: FittedModel, horizon: int) -> Forecast:
    """The days after the panel's last; raises what with_days_ahead does."""
    return model.predict(with_days_ahead(panel, horizon), panel.last_day, horizon)


def with_days_ahead(panel: Panel, horizon: int) -> Panel:
    """The panel and the days to forecast; raises where a known-future column has no value for one of them."""
    ahead = panel.extended(horizon)
    start = ahead.column(panel.last_day) + 1
    empty = np.isnan(ahead.known[:, start:start + horizon])
    if empty.any():
        series, day, column = np.argwhere(empty)[0]
        raise UserError(
            f"{ahead.known_names[column]} has no value on {ahead.dates[start + day]} for store {ahead.store[series]}, item "
            f"{ahead.item[series]}, and {empty.sum() - 1:,} more are missing: data.known_future needs every day up to "
            f"{panel.last_day + horizon}. Add rows with empty sales, or lower forecast.horizon")
    return ahead


def forecast_table(panel: Panel, made: Forecast) -> pa.Table:
    """The long form: see above."""
    columns = {"forecast": made.point}
    for level in LEVELS:
        columns |= {f"lo_{level}": made.low[level], f"hi_{level}": made.high[level]}
    return table_of_days(panel, made.origin, columns)


def table_of_days(panel: Panel, origin: np.datetime64, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """One row per series and day after the origin, sorted by both: store, item, date, horizon, and the columns (S, H)."""
    series, day = (index.ravel() for index in np.indices(next(iter(columns.values())).shape))
    keys = {"store": panel.store[series], "item": panel.item[series], "date": (origin + 1 + day).astype("M8[D]"),
            "horizon": (day + 1).astype("i2")}
    values = keys | {name: each.ravel() for name, each in columns.items()}
    return pa.table({name: to_arrow(each) for name, each in values.items()})


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
