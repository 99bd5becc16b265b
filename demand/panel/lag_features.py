"""Lags and rolling means of sales, as they are known before each day begins; and the feature table.

Training, backtest, batch forecast and API use sales up to the origin only: they all read these features at the origin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_arrow
from demand.panel.calendar import CALENDAR, calendar
from demand.panel.long_table import CLEANED, to_table
from demand.panel.panel import ABSENT, Panel
from demand.panel.running_sums import running_sums

LAGS = (1, 7, 30)  # days
WINDOWS = (7, 14, 30, 56, 182, 364)  # days
STATE = tuple(f"lag_{k}" for k in LAGS) + tuple(f"rolling_mean_{w}" for w in WINDOWS)


def lag_features(panel: Panel) -> np.ndarray:
    """(S, D, len(STATE)) float32: what is known of each series before each day of the panel begins, at the origin the day before.

    `lag_k` are the sales of day d - k (0 when closed), `rolling_mean_w` the mean over the trading days among d - w ... d - 1, NaN
    where there are none. The day after the last with sales, where the next forecast starts, is the last that has any.
    """
    days = min(panel.column(panel.last_day) + 2, len(panel.dates))
    found = np.full((*panel.sales.shape, len(STATE)), np.nan, "f4")
    for f, k in enumerate(LAGS):
        found[:, k:days, f] = panel.sales[:, : max(days - k, 0)]
    trading = panel.trading
    total, count = running_sums(np.where(trading, panel.sales, 0)), running_sums(trading)
    end = np.arange(days)
    for f, w in enumerate(WINDOWS, start=len(LAGS)):
        start = np.maximum(end - w, 0)
        n = count[:, end] - count[:, start]
        found[:, :days, f] = np.divide(total[:, end] - total[:, start], n, out=np.full(n.shape, np.nan), where=n > 0)
    return found


def known_future_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The known-future columns among those of a feature table, in its order: what is neither CLEANED, CALENDAR nor STATE."""
    return tuple(name for name in names if name not in (*CLEANED, *CALENDAR, *STATE))


def feature_table(panel: Panel) -> pa.Table:
    """The long form of the panel, one day longer than its sales, with the calendar of its days and the lag features."""
    panel = panel.extended(1)
    row, day = np.nonzero(panel.status != ABSENT)
    features = lag_features(panel)
    table = to_table(panel)
    for name, values in calendar(panel.dates).items():
        table = table.append_column(name, to_arrow(values[day]))
    for f, name in enumerate(STATE):
        table = table.append_column(name, to_arrow(features[row, day, f]))
    return table
