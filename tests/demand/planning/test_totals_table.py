"""data/forecast/totals.parquet: sums over stores, items, categories, all, and over weeks and four weeks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from demand.distribution.joint_error import JointError
from demand.panel.attributes import Attributes
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel
from demand.planning.totals_table import totals_table
from tests.support.panels import panel

HORIZON = 30
ORIGIN = np.datetime64("2021-01-31")
ERROR = JointError(1.0, np.full((4, 4), 1e-3), 6.0, whole=True)


@pytest.fixture(scope="module")
def point() -> np.ndarray:
    return np.random.default_rng(0).gamma(3, 5, (12, HORIZON)).astype("f4")


@pytest.fixture(scope="module")
def sold() -> Panel:
    """Stores 1 to 3, items 1 to 5; the last store has two of them. Items have a brand, but for the fifth."""
    brands = {1: {"brand": "a"}, 2: {"brand": "b"}, 3: {"brand": "a"}, 4: {"brand": "b"}}
    return replace(panel(np.ones((12, 400))), attributes=Attributes(brands, {}))


@pytest.fixture(scope="module")
def table(sold: Panel, point: np.ndarray) -> pa.Table:
    return totals_table(sold, Forecast(ORIGIN, point, {}, {}), ERROR)


def test_its_rows(table: pa.Table):
    rows = table.to_pylist()
    assert table.column_names[:7] == ["level", "store", "item", "category", "start", "days", "forecast"]
    assert table.column_names[7:] == ["lo_80", "hi_80", "lo_95", "hi_95"]
    assert list(dict.fromkeys(row["level"] for row in rows)) == ["all", "store", "item", "item.brand", "series"]
    assert len(rows) == (1 + 3 + 5 + 2 + 12) * (4 + 1)  # four weeks, and one of four weeks
    assert [str(row["start"]) for row in rows[:5]] == ["2021-02-01", "2021-02-08", "2021-02-15", "2021-02-22", "2021-02-01"]
    assert [row["days"] for row in rows[:5]] == [7, 7, 7, 7, 28]


def test_every_sum_is_the_sum_of_its_days(table: pa.Table, sold: Panel, point: np.ndarray):
    for row in table.to_pylist():
        of = np.ones(12, bool)
        of &= (sold.store == row["store"]) | (row["store"] is None)
        of &= (sold.item == row["item"]) | (row["item"] is None)
        if row["category"]:
            of &= np.isin(sold.item, [1, 3] if row["category"] == "a" else [2, 4])
        start = int((np.datetime64(row["start"]) - ORIGIN).astype(int)) - 1
        assert row["forecast"] == pytest.approx(point[of, start:start + row["days"]].sum(), rel=1e-5), row
        assert row["lo_95"] < row["lo_80"] < row["forecast"] < row["hi_80"] < row["hi_95"]


def test_levels_add_up_and_sums_are_surer_than_their_parts(table: pa.Table):
    rows = [row for row in table.to_pylist() if row["days"] == 28]
    total = {level: sum(row["forecast"] for row in rows if row["level"] == level) for level in ("all", "store", "item", "series")}
    assert list(total.values()) == pytest.approx([total["all"]] * 4, rel=1e-6)
    width = {level: sum(row["hi_80"] - row["lo_80"] for row in rows if row["level"] == level) for level in total}
    assert width["all"] < width["store"] < width["series"]


def test_ids_that_are_text_and_a_horizon_of_less_than_four_weeks(point: np.ndarray):
    names = replace(panel(np.ones((2, 400))), store=np.array(["a", "b"], object), item=np.array(["x", "x"], object))
    table = totals_table(names, Forecast(ORIGIN, point[:2, :20], {}, {}), ERROR)
    assert set(table["days"].to_pylist()) == {7}
    assert table["store"].type == pa.string()
    short = totals_table(names, Forecast(ORIGIN, point[:2, :5], {}, {}), ERROR)
    assert (short.num_rows, short.schema) == (0, table.schema)
