"""Files as retailers have them: other column names, dialects and dates, transactions, shapes that are no daily sales."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from demand.cleaning.cleaning_report import decisions, prepare
from demand.ingest import table_reader
from demand.ingest.data_params import DataParams
from demand.ingest.dates import parse_texts
from demand.ingest.records import Records, read_records
from demand.schema.errors import UserError
from tests.support.examples import PARAMS, ROOT
from workspace.run.all_params import parse_params

DAYS = pd.date_range("2024-01-01", periods=20)
FRAME = pd.DataFrame({
    "date": np.tile(DAYS.astype(str), 2), "store": 1, "item": np.repeat([1, 2], 20), "sales": np.arange(40) + 0.5})


def layout(**changes: Any) -> DataParams:
    return DataParams.model_validate({**PARAMS["data"], "source": "file.csv", **changes})


def records(content: str | bytes, **changes: Any) -> tuple[Records, dict[str, int]]:
    settings = layout(**changes)
    data = content if isinstance(content, bytes) else content.encode()
    return read_records(table_reader.read(pa.py_buffer(data), settings), settings)


def csv(frame: pd.DataFrame, **settings: Any) -> str:
    return str(frame.to_csv(index=False, **settings))


EXPECTED = records(csv(FRAME))[0]


@pytest.mark.parametrize(("content", "changes"), [
    (csv(FRAME.rename(columns={"date": "Day", "sales": "Units", "item": "SKU"})),
     {"columns": {"date": "Day", "store": "store", "item": "SKU", "sales": "Units"}}),
    (csv(FRAME, sep=";", decimal=","), {}),
    (csv(FRAME, sep="\t"), {}),
    (csv(FRAME, sep="|"), {"separator": "|"}),
    (csv(FRAME).encode("utf-16"), {}),
    (csv(FRAME.assign(note="Köln")).encode("cp1252"), {}),
    (csv(FRAME.assign(date=np.tile(DAYS.strftime("%d.%m.%Y"), 2))), {}),
    (csv(FRAME.assign(date=np.tile(DAYS.strftime("%m/%d/%Y"), 2))), {}),
    (csv(FRAME.assign(date=np.tile(DAYS.strftime("%d %B %Y"), 2))), {}),
    (csv(FRAME.assign(date=np.tile(DAYS.strftime("%Y%m%d"), 2))), {"date_format": "%Y%m%d"}),
])
def test_the_same_sales_however_they_are_written(content: str | bytes, changes: dict[str, Any]):
    found, _ = records(content, **changes)
    np.testing.assert_array_equal(found.sales, EXPECTED.sales)
    np.testing.assert_array_equal(found.dates, EXPECTED.dates)


def test_nixtla_s_names_and_joined_and_missing_ids():
    nixtla = FRAME.assign(unique_id=FRAME["item"].map({1: "a", 2: "b"})).rename(columns={"date": "ds", "sales": "y"})
    found, _ = records(csv(nixtla[["unique_id", "ds", "y"]]))
    assert (set(found.store), found.item.tolist()) == ({"all"}, ["a", "b"])
    np.testing.assert_array_equal(found.sales, EXPECTED.sales)
    columns = {"date": "date", "store": None, "item": ["store", "item"], "sales": "sales"}
    found, _ = records(csv(FRAME), columns=columns)
    assert (set(found.store), found.item.tolist()) == ({"all"}, ["1|1", "1|2"])


@pytest.mark.parametrize("kind", ["lists", "structs", "durations", "zones", "huge"])
def test_parquet_of_any_type_is_read_or_named(kind: str):
    days = pa.array(DAYS.to_numpy().astype("M8[D]"))
    ones = pa.array([1] * 20)
    columns: dict[str, Any] = {"date": days, "store": ones, "item": ones, "sales": pa.array([1.0] * 20)}
    columns |= {"lists": {"item": pa.array([[1]] * 20)}, "structs": {"item": pa.array([{"a": 1}] * 20)},
                "durations": {"sales": pa.array([1] * 20, pa.duration("s"))}, "huge": {"sales": pa.array([2**60] * 20)},
                "zones": {"date": pa.array([int(day.timestamp() * 1e6) for day in DAYS], pa.timestamp("us", "Asia/Tokyo"))}}[kind]
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    if kind in ("zones", "huge"):
        found, _ = records(stream.getvalue(), transactions=kind == "zones")
        assert found.sales.sum() == pytest.approx(20 if kind == "zones" else 20 * 2.0**60)
        assert str(found.dates[0]) == "2024-01-01"
    else:
        with pytest.raises(UserError, match=r"file.csv: the column '(item|sales)' holds .*, not (numbers|text or integers)"):
            records(stream.getvalue())


def test_transactions_are_added_up_and_returns_taken_off():
    lines = ("date,store,item,sales\n2024-01-01 09:30,1,1,3\n2024-01-01 17:05:01,1,1,4\n"
             "2024-01-02 08:00,1,1,-2\n2024-01-03 10:00,1,1,5\n")
    found, counts = records(lines + "2024-01-03 11:00,1,1,-1\n", transactions=True)
    assert found.sales.tolist() == [[7, 0, 4]]
    assert {"transactions_added_up": 2, "returns": 2, "days_below_zero_set_to_0": 1}.items() <= counts.items()
    with pytest.raises(UserError, match=r"4 rows with a time of day: line 2.*Set data.transactions: true") as refused:
        records(lines)
    assert "data.transactions: true to take returns off their day" in str(refused.value)
    with pytest.raises(UserError, match=r"set data.transactions: true to add them up"):
        records(csv(pd.concat([FRAME, FRAME[:1]])))


def test_rows_without_units_are_counted():
    lines = "Date;who;what\n21-07-2024;a;milk\n21-07-2024;b;milk\n22-07-2024;a;tea\n"
    found, _ = records(lines, columns={"date": "Date", "store": None, "item": "what", "sales": None})
    np.testing.assert_array_equal(found.sales, np.array([[2, np.nan], [np.nan, 1]], "f4"))


@pytest.mark.parametrize(("texts", "form", "expected"), [
    (["2024-03-31", "2024-04-01"], None, ["2024-03-31", "2024-04-01"]),
    (["31/03/2024", "01/04/2024"], None, ["2024-03-31", "2024-04-01"]),
    (["03/31/24", "04/01/24"], None, ["2024-03-31", "2024-04-01"]),
    (["03/04/2024"], "%m/%d/%Y", ["2024-03-04"]),
    (["2024-03-31", "soon", "٢٠٢٤-٠٣-٣١"], None, ["2024-03-31", "NaT", "NaT"]),
])
def test_dates(texts: list[str], form: str | None, expected: list[str]):
    np.testing.assert_array_equal(parse_texts(texts, form, "x.csv")[0], np.array(expected, "M8[D]"))


def test_dates_with_two_readings_name_both():
    both = r"'03-04-2024' is 2024-04-03 if written as %d-%m-%Y, 2024-03-04 if as %m-%d-%Y.*date_format"
    with pytest.raises(UserError, match=both):
        parse_texts(["03-04-2024", "05-06-2024"], None, "x.csv")


def test_shapes_that_are_no_daily_sales():
    months = pd.date_range("2020-01-01", periods=24, freq="MS").astype(str)
    settings = parse_params({**PARAMS, "data": {**PARAMS["data"], "source": "file.csv"}})
    monthly = pa.py_buffer(csv(pd.DataFrame({"date": months, "store": 1, "item": 1, "sales": 5})).encode())
    with pytest.raises(UserError, match="has one day of sales a month"):
        prepare(monthly, settings.data, settings.prepare, 1)
    weeks = pd.date_range("2020-01-06", periods=60, freq="7D").astype(str)
    weekly = pa.py_buffer(csv(pd.DataFrame({"date": weeks, "store": 1, "item": 1, "sales": 5})).encode())
    panel, metrics = prepare(weekly, settings.data, settings.prepare, 1)
    assert panel.trading.sum() == 60
    assert "sales of one weekday alone: weekly data, forecast on that weekday" in decisions(metrics)


def test_a_wrong_mapping_names_what_was_found():
    with pytest.raises(UserError, match=r"no column 'Day'.*data.columns in params.yaml.*found 'date', 'store'"):
        records(csv(FRAME), columns={"date": "Day", "store": "store", "item": "item", "sales": "sales"})


def test_the_docs_show_the_parameters_of_the_manifest():
    page = (ROOT / "docs/data.md").read_text()
    for entry in yaml.safe_load((ROOT / "bench/field/files.yaml").read_text()).values():
        row = next(line for line in page.splitlines() if line.startswith(f"| {entry['title']} |"))
        assert yaml.safe_load(row.split("`")[1]) == entry["data"]
        layout(**entry["data"])


@pytest.mark.parametrize(("column", "values", "expected"), [
    ("item", ["a\0b"], "NUL"), ("item", [2.0**60], "lost digits"),
])
def test_ids_that_lost_digits_or_hold_nul_get_a_message(column, values, expected):
    days = pa.array(np.datetime64("2024-01-01") + np.arange(40))
    table = pa.table({"date": days, "store": [1] * 40, "item": [1] * 40, "sales": list(range(40))} | {column: values * 40})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    with pytest.raises(UserError) as error:
        records(sink.getvalue().to_pybytes())
    assert expected in str(error.value)
