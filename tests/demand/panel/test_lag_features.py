"""State and calendar: against pandas, shuffled rows, and a changed future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dateutil.easter import easter

from demand.panel.arrow import to_numpy
from demand.panel.calendar import CALENDAR, calendar
from demand.panel.lag_features import LAGS, STATE, WINDOWS, feature_table, lag_features
from demand.panel.long_table import from_table, to_table
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OBSERVED, OUTLIER, Panel, closed_by_plan
from tests.support.panels import noisy, panel, shaped

DAYS = 450


@pytest.fixture(scope="module")
def mixed() -> Panel:
    """Series with closed and filled days, outliers, late starts, and days after the end."""
    rng = np.random.default_rng(3)
    whole = panel(noisy(shaped(12, DAYS))).extended(5)
    status = rng.choice([OBSERVED, OUTLIER, FILLED, CLOSED], whole.status.shape, p=[0.8, 0.02, 0.08, 0.1]).astype("u1")
    status[:, DAYS:] = FUTURE
    for series, start in enumerate(rng.integers(0, 100, 11), 1):
        status[series, :start] = ABSENT
    sales = np.where(status == CLOSED, 0, whole.sales)
    sales[np.isin(status, (FUTURE, ABSENT))] = np.nan
    return replace(whole, sales=sales.astype("f4"), status=status)


def test_state_is_what_pandas_says_of_each_series(mixed: Panel):
    state = lag_features(mixed)
    for series in range(mixed.n_series):
        sales = pd.Series(mixed.sales[series].astype("f8"))
        trading = sales.where(np.isin(mixed.status[series], (OBSERVED, OUTLIER)))
        for f, name in enumerate(STATE):
            lag, width = name.removeprefix("lag_"), name.removeprefix("rolling_mean_")
            expected = sales.shift(int(lag)) if lag != name else trading.shift(1).rolling(int(width), min_periods=1).mean()
            expected[DAYS + 1:] = np.nan  # nothing is known yet on later mornings
            np.testing.assert_allclose(state[series, :, f], expected, rtol=1e-6, err_msg=f"{name} of series {series}")


def test_names():
    assert {"lag_1", "lag_7", "lag_30", "rolling_mean_7", "rolling_mean_30"} <= set(STATE)
    assert len(STATE) == len(LAGS) + len(WINDOWS)
    assert {"year", "month", "day", "dayofweek", "is_weekend"} <= set(CALENDAR)


def test_sales_after_an_origin_do_not_change_what_is_known_there(mixed: Panel):
    origin = 300
    spoiled = replace(mixed, sales=mixed.sales.copy(), status=mixed.status.copy())
    spoiled.sales[:, origin + 1:DAYS] *= 9
    spoiled.status[:, origin + 1:DAYS] = OBSERVED
    np.testing.assert_array_equal(lag_features(mixed)[:, :origin + 2], lag_features(spoiled)[:, :origin + 2])
    seen = lag_features(mixed.through(mixed.dates[origin]))
    np.testing.assert_array_equal(lag_features(mixed)[:, :origin + 2], seen[:, :origin + 2])
    assert np.isnan(seen[:, origin + 2:]).all()


def test_shuffled_rows_give_the_same_table(mixed: Panel):
    table = to_table(mixed)
    order = np.random.default_rng(0).permutation(table.num_rows)
    again = from_table(table.take(pa.array(order)))
    assert feature_table(again).equals(feature_table(mixed))


def test_the_table_has_a_row_for_the_day_after_the_last():
    table = feature_table(panel(np.arange(100.0)[None]))
    last = {name: table[name][100].as_py() for name in table.column_names}
    assert (last["status"], last["sales"], last["lag_1"], last["lag_7"]) == ("future", None, 99, 93)
    assert last["rolling_mean_7"] == pytest.approx(np.mean([93, 94, 95, 96, 97, 98, 99]))


def test_the_table_comes_back_as_the_panel(mixed: Panel):
    table = feature_table(mixed)
    again = from_table(table)
    np.testing.assert_array_equal(again.sales, mixed.extended(1).sales)
    row, day = np.nonzero(again.status != ABSENT)
    for f, name in enumerate(STATE):
        np.testing.assert_array_equal(to_numpy(table[name]), lag_features(mixed.extended(1))[row, day, f])


def test_calendar_against_the_standard_library():
    days = [date(2019, 12, 25) + timedelta(days=n) for n in range(900)]
    facts = calendar(np.array(days, "M8[D]"))
    for n, day in enumerate(days):
        distance = (day - easter(day.year)).days
        expected = {"year": day.year, "month": day.month, "day": day.day, "dayofweek": day.weekday(),
                    "is_weekend": day.weekday() >= 5, "dayofyear": day.timetuple().tm_yday,
                    "days_from_easter": distance if -48 <= distance <= 61 else -99}
        assert {name: facts[name][n] for name in CALENDAR} == expected


def test_planned_closed_days():
    plan = np.ones((2, 30))
    plan[0, 25:] = 0
    made = panel(np.full((2, 20), 5.0)).extended(10)
    made = replace(made, known=plan[:, :, None].astype("f4"), known_names=("open",))
    made.status[1, 3] = CLOSED
    expected = plan == 0
    expected[1, 3] = True
    np.testing.assert_array_equal(closed_by_plan(made), expected)
    np.testing.assert_array_equal(closed_by_plan(replace(made, known=made.known[:, :, :0], known_names=())),
                                  made.status == CLOSED)


def test_the_table_is_complete(mixed: Panel):
    table = feature_table(mixed)
    assert table.num_rows == (mixed.status != ABSENT).sum()
    keys = [to_numpy(table[name]) for name in ("store", "item", "date")]
    assert np.array_equal(np.lexsort(keys[::-1]), np.arange(table.num_rows))
