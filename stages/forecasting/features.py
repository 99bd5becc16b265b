"""What is known of a series at a forecast's origin, and of the day that is to be forecast.

`state` is the first half: lags and rolling means that use sales up to the origin only. It is computed once, by the features
stage, for every origin there could be; training, backtest, batch forecast and API read it from there. The calendar is the
second half: facts about the target day.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from dateutil.easter import easter

from stages.forecasting.panel import CLOSED, Panel

LAGS = (1, 7, 30)  # days
WINDOWS = (7, 14, 30, 56, 182, 364)  # days
STATE = tuple(f"lag_{k}" for k in LAGS) + tuple(f"rolling_mean_{w}" for w in WINDOWS)
CALENDAR = ("year", "month", "day", "dayofweek", "is_weekend", "dayofyear", "days_from_easter")


def with_state(panel: Panel) -> Panel:
    """The panel, one day longer than its sales, with `state` (S, D, len(STATE)).

    Position d holds what is known before day d begins, at the origin d - 1: `lag_k` are the sales of day d - k (0 when closed),
    `rolling_mean_w` the mean over the trading days among d - w ... d - 1, NaN where there are none. The day after the last is
    where the next forecast starts.
    """
    panel = panel.extended(1)
    return replace(panel, state=states(panel.sales, panel.trading, panel.column(panel.last_day) + 2))


def states(sales: np.ndarray, trading: np.ndarray, days: int) -> np.ndarray:
    """(S, D, len(STATE)) of sales and trading days (S, D), for the first `days` days; NaN on the others."""
    state = np.full((*sales.shape, len(STATE)), np.nan, "f4")
    for f, k in enumerate(LAGS):
        state[:, k:days, f] = sales[:, : max(days - k, 0)]
    total, count = running(np.where(trading, sales, 0)), running(trading)
    end = np.arange(days)
    for f, w in enumerate(WINDOWS, start=len(LAGS)):
        start = np.maximum(end - w, 0)
        n = count[:, end] - count[:, start]
        state[:, :days, f] = np.divide(total[:, end] - total[:, start], n, out=np.full(n.shape, np.nan), where=n > 0)
    return state


def running(values: np.ndarray) -> np.ndarray:
    """(S, D) to (S, D + 1) sums of what lies before each position; NaN counts as 0."""
    total = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(np.nan_to_num(values), axis=1, out=total[:, 1:])
    return total


def calendar(dates: np.ndarray) -> dict[str, np.ndarray]:
    """Facts about days, (D,) datetime64[D] to one (D,) int16 array per name of CALENDAR.

    `dayofweek` is 0 on Mondays, `days_from_easter` counts from Western Easter Sunday and is -99 outside -48 ... 61, the span of
    the holidays that move with it (Carnival to Corpus Christi).
    """
    month_start, year_start = dates.astype("M8[M]"), dates.astype("M8[Y]")
    year = year_start.astype(int) + 1970
    first = int(year.min())
    sundays = np.array([easter(y) for y in range(first, int(year.max()) + 1)], "M8[D]")
    from_easter = (dates - sundays[year - first]).astype(int)
    dayofweek = (dates.astype("M8[D]").astype(int) + 3) % 7
    facts = {
        "year": year,
        "month": month_start.astype(int) % 12 + 1,
        "day": (dates - month_start).astype(int) + 1,
        "dayofweek": dayofweek,
        "is_weekend": dayofweek >= 5,
        "dayofyear": (dates - year_start).astype(int) + 1,
        "days_from_easter": np.where((from_easter >= -48) & (from_easter <= 61), from_easter, -99),
    }
    return {name: facts[name].astype("i2") for name in CALENDAR}


def closed_by_plan(panel: Panel) -> np.ndarray:
    """(S, D) bool: days that are closed, as recorded, inferred, or planned by the known-future column `open`."""
    closed = panel.status == CLOSED
    if "open" in panel.known_names:
        closed = closed | (panel.known[:, :, panel.known_names.index("open")] == 0)
    return closed
