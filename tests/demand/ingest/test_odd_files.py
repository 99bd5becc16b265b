"""Files as they come out of tills, spreadsheets and databases: each is prepared, or refused with one message and no traceback."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from demand.cleaning.cleaning_report import decisions, prepare
from demand.schema.errors import UserError
from tests.support.examples import PARAMS
from workspace.run.all_params import parse_params

DAYS = pd.date_range("2024-01-01", periods=90)
FRAME = pd.DataFrame({"date": np.tile(DAYS, 4), "store": np.repeat([1, 2], 180), "item": np.tile(np.repeat(["a", "b"], 90), 2),
                      "sales": np.arange(360) % 9 + 1})
ISO = FRAME["date"].astype(str)


def csv(frame: pd.DataFrame, **settings: Any) -> str:
    return str(frame.to_csv(index=False, **settings))


def as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def arrow(**changed: pa.Array) -> bytes:
    table = {"date": pa.array(FRAME["date"]), "store": pa.array(FRAME["store"]), "item": pa.array(FRAME["item"]),
             "sales": pa.array(FRAME["sales"])}
    return as_parquet(pa.table(table | changed))


def prepared(content: str | bytes, **data: Any) -> tuple[pd.DataFrame, list[str]]:
    """Units by store, item and day, and the lines on the console."""
    settings = parse_params({**PARAMS, "data": {**PARAMS["data"], "source": "sales.csv", **data}})
    whole = pa.py_buffer(content.encode() if isinstance(content, str) else content)
    panel, metrics = prepare(whole, settings.data, settings.prepare, 28)
    index = pd.MultiIndex.from_arrays([panel.store.astype(str), panel.item.astype(str)])
    return pd.DataFrame(panel.recorded, index, panel.dates), decisions(metrics)


EXPECTED = prepared(csv(FRAME))[0]


@pytest.mark.parametrize(("content", "said"), [
    ("sep=;\n" + csv(FRAME, sep=";"), ["columns are separated by ';'"]),
    (csv(FRAME) + "\n,,,\n , ,,\n", ["2 rows without any value are skipped"]),
    (csv(FRAME).replace("\n", ",\n"), ["columns that nothing reads: ''"]),
    (csv(FRAME.assign(x=None, note="two\nlines")), ["columns that nothing reads: x, note"]),
    (csv(FRAME.assign(a=1, b=2)).replace("a,b\n", "x,x\n", 1), ["columns that nothing reads: x, x"]),
    (csv(FRAME.assign(date=ISO + "T00:00:00+01:00")), []),
    (csv(FRAME, sep=";").encode("utf-16"), ["the file is read as utf-16", "columns are separated by ';'"]),
    (b"\xef\xbb\xbf" + csv(FRAME).encode(), []),
    (csv(FRAME.assign(sales=FRAME["sales"] * 1.0).astype({"sales": str})), []),
    (arrow(store=pa.array(FRAME["store"].astype("category")), item=pa.array(FRAME["item"].astype("category")),
           date=pa.array(FRAME["date"].dt.date), sales=pa.array(FRAME["sales"]).cast(pa.decimal128(22, 2))), []),
    (arrow(date=pa.array(ISO).dictionary_encode(), sales=pa.array(FRAME["sales"].astype(str))), []),
    (arrow(date=pa.array(FRAME["date"].dt.tz_localize("Asia/Tokyo")), other=pa.nulls(len(FRAME))),
     ["columns that nothing reads: other"]),
], ids=["Excel's sep", "rows of commas", "comma at the end", "empty column, quoted newlines", "double headers", "zone", "UTF-16",
        "mark", "floats", "categories, date32, decimals", "dictionaries and text", "time zone, null column"])
def test_odd_files_give_the_plain_file_s_sales(content: str | bytes, said: list[str]):
    units, lines = prepared(content)
    pd.testing.assert_frame_equal(units, EXPECTED)
    assert lines == said


@pytest.mark.parametrize(("content", "expected"), [
    (csv(FRAME) + "Total,,,1620\n", "1 row with neither a day nor an id: line 362: 'Total'. Remove totals and remarks."),
    (csv(FRAME.assign(date=ISO + " 23:00:00Z")), "360 rows with a time of day: line 2: '2024-01-01 23:00:00Z'"),
    (csv(FRAME.assign(date=ISO + " 23:00:00Z")), "write its own day"),
    (csv(FRAME.assign(item=None)), "Fill in the id, or set data.columns.item: null in params.yaml."),
    (csv(FRAME.assign(sales=None)), "no row has sales: data.columns.sales in params.yaml names the column that holds them"),
    (arrow(store=pa.nulls(len(FRAME))), "the column 'store' is empty: fill it in, or name another one for store"),
    (arrow(item=pa.array([b"ab"] * 360, pa.binary(2))), "the column 'item' holds fixed_size_binary[2], not text or integers"),
    (arrow(sales=pa.array(FRAME["date"])), "the column 'sales' holds timestamp[us], not numbers"),
    (arrow(date=pa.array([2**60] * 360, pa.timestamp("ms"))),
     "a date that is none: row 1: '1152921504606846976 as timestamp[ms]'"),
    (arrow(date=pa.array([2**30] * 360, pa.date32())), "a date that is none: row 1: '1073741824 as date32[day]'"),
    ("Report of sales\n\n" + csv(FRAME), "The first line of the file has to hold the names of its columns."),
    (csv(FRAME).encode("utf-16-le"), "set data.encoding in params.yaml"),
    (b"PK\x03\x04" + bytes(99), "sales.csv is an Excel workbook or a ZIP archive: save it as CSV or Parquet"),
    (b"\x1f\x8b\x08" + bytes(99), "sales.csv is packed by gzip: save it as CSV or Parquet"),
    (csv(FRAME.assign(a=1)).replace("sales,a", "sales,sales"), "2 columns named 'sales': rename or remove all but one"),
    (csv(FRAME.assign(note="two\nlines", sales="few")), "line 2: 'few'; line 4: 'few'; line 6: 'few'"),
    (csv(FRAME[:0]), "has a header and no rows"),
])
def test_odd_files_are_refused_with_what_where_and_what_to_do(content: str | bytes, expected: str):
    with pytest.raises(UserError) as error:
        prepared(content)
    assert expected in str(error.value)


def test_an_encoding_without_a_mark_can_be_stated():
    pd.testing.assert_frame_equal(prepared(csv(FRAME).encode("utf-16-le"), encoding="utf-16-le")[0], EXPECTED)


def test_quoted_newlines_in_a_file_of_many_blocks():
    """Arrow reads a CSV in blocks of a megabyte, and cuts at line ends unless it is told that values may hold some."""
    many = pd.concat([FRAME[:90].assign(item=f"i{n}") for n in range(100)])
    plain, noted = prepared(csv(many))[0], prepared(csv(many.assign(note="a long remark\n" * 20)))[0]
    pd.testing.assert_frame_equal(noted, plain)


@pytest.mark.parametrize("rows", [FRAME[:1], FRAME[FRAME["date"] == DAYS[0]]])
def test_a_single_day_is_no_weekly_file(rows: pd.DataFrame):
    assert prepared(csv(rows))[1] == []


def test_ids_may_be_uuids():
    ids = [UUID(int=1 + n // 90 % 2) for n in range(360)]
    units = prepared(arrow(item=pa.array([each.bytes for each in ids], pa.uuid())))[0]
    np.testing.assert_array_equal(units, EXPECTED)
    assert units.index[0] == ("1", str(UUID(int=1)))


def test_transactions_of_a_till_with_returns_and_times():
    rng = np.random.default_rng(0)
    rows = [(f"{day:%m/%d/%Y} {9 + n}:3{n}", item, -1 if rng.random() < 0.1 else 2)
            for day in DAYS for item in "abc" for n in range(rng.poisson(1))]
    till = pd.DataFrame(rows, columns=["InvoiceDate", "StockCode", "Quantity"])
    columns = {"date": "InvoiceDate", "store": None, "item": "StockCode", "sales": "Quantity"}
    units, lines = prepared(csv(till), columns=columns, transactions=True)
    daily = till.groupby(["StockCode", till["InvoiceDate"].str[:10]])["Quantity"].sum().clip(lower=0)
    assert units.sum().sum() == daily.sum()
    assert lines[0] == "dates are read as %m/%d/%Y"
    assert "nothing sold, as the rows are transactions" in lines[1]
    assert "rows added to others of their day" in lines[2]


def test_restaurants_without_an_item_column():
    renamed = FRAME.rename(columns={"date": "visit_date", "store": "id", "sales": "visitors"})
    visits = renamed[renamed["item"] == "a"].drop(columns="item")
    units, lines = prepared(csv(visits), columns={"date": "visit_date", "store": "id", "item": None, "sales": "visitors"})
    assert units.index.tolist() == [("1", "all"), ("2", "all")]
    assert lines == []
