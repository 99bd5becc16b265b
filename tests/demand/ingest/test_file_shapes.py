"""Numbers, days and columns that can be read in two ways, or are none: each file gives the plain file's rows, or one message."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.ingest import table_reader
from demand.ingest.data_params import DataParams
from demand.ingest.many_files import read_files
from demand.ingest.number_formats import decimal_mark, number_text
from demand.ingest.records import Records, read_records
from demand.schema.errors import UserError
from tests.support.examples import PARAMS

DAYS = [date(2024, 1, 1) + timedelta(day) for day in range(40)]


def layout(**changes: Any) -> DataParams:
    return DataParams.model_validate({**PARAMS["data"], "source": "sales.csv", **changes})


def records(content: str, **changes: Any) -> tuple[Records, list[str]]:
    """The grid, and what was decided for the user."""
    named = layout(**changes)
    found, counts = read_records(table_reader.read(pa.py_buffer(content.encode()), named), named)
    return found, counts["read_as"]


def message(content: str, **changes: Any) -> str:
    with pytest.raises(UserError) as error:
        records(content, **changes)
    return str(error.value)


def sheet(row: str, form: str = "%Y-%m-%d", header: str = "date;store;item;sales") -> str:
    """A series of 40 days; {d} is the day, {n} its number."""
    return "\n".join([header, *(row.format(d=day.strftime(form), n=n) for n, day in enumerate(DAYS))]) + "\n"


@pytest.mark.parametrize(("texts", "expected"), [
    (["1,5", "2"], [1.5, 2]), (["1,234.5", "2"], [1234.5, 2]), (["1.234,5"], [1234.5]), (["1,25", "1.234"], [1.25, 1234]),
    (["1,234", "2.5"], [1234, 2.5]), (["1.234", "0.5"], [1.234, 0.5]), (["0,123"], [0.123]), (["True", "false"], [1, 0]),
    (["1e3"], [1000]), (["-2"], [-2]), (["1 234,5"], [1234.5]), (["1\u00a0234"], [1234]), (["1'234.50"], [1234.5]),
    (["٣"], [None]), (["1,2,3"], [None]), (["1,5", "2.5"], [None, 2.5]), (["1,234,567", "1,100"], [1234567, 1100]),
    (["1,100", "1200"], [1.1, 1200]),
])
def test_numbers_are_read_as_the_whole_file_writes_them(texts: list[str], expected: list[float | None]):
    mark = decimal_mark({"sales": texts}, "x.csv")
    numbers = [number_text(text, mark) for text in texts]
    assert [None if text is None else float(text) for text in numbers] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(0, 10**7, places=2), min_size=1, max_size=20), st.sampled_from([".", ","]), st.booleans())
def test_a_number_is_never_read_wrongly(values: list[Any], mark: str, groups: bool):
    """Two decimals tell the mark, whatever groups the thousands."""
    texts = [f"{value:,.2f}" if groups else f"{value:.2f}" for value in values]
    if mark == ",":
        texts = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    assert decimal_mark({"sales": texts}, "x.csv") == mark
    assert [float(number_text(text, mark) or "nan") for text in texts] == [float(value) for value in values]


@pytest.mark.parametrize(("cell", "readings"), [
    ("1,1{n:02}", "sales '1,100' is 1100 with a decimal point and 1.1 with a decimal comma"),
    ("1.1{n:02}", "sales '1.100' is 1.1 with a decimal point and 1100 with a decimal comma"),
])
def test_thousands_or_decimals_is_an_error_that_names_both_readings(cell: str, readings: str):
    said = message(sheet(f"{{d}};1;1;{cell}"))
    assert f"sales.csv: {readings}, and no other number of the file tells which" in said
    assert "set data.decimal in params.yaml to '.' or ','" in said
    thousand, small = records(sheet(f"{{d}};1;1;{cell}"), decimal=".")[0], records(sheet(f"{{d}};1;1;{cell}"), decimal=",")[0]
    assert sorted([thousand.sales[0, 0], small.sales[0, 0]]) == [np.float32(1.1), 1100]


def test_a_single_number_far_down_tells_the_decimal_mark():
    rows = [f"2024-01-{1 + n % 28:02};1;{n};1,100" for n in range(9000)]
    content = "\n".join(["date;store;item;sales", *rows])
    assert "1100 with a decimal point" in message(content)
    found, said = records(content + "\n2024-01-01;2;1;0,5\n")
    assert np.nanmax(found.sales) == np.float32(1.1)
    assert said == ["columns are separated by ';'", "numbers are read with a decimal comma: '1,100' is 1.100"]


def test_commas_in_columns_that_nothing_reads_say_nothing_of_sales():
    rows = [f"{day};1;1;{n}.5;7,5" for n, day in enumerate(DAYS)]
    found, said = records("\n".join(["date;store;item;sales;weight", *rows]))
    assert found.sales[0, 3] == 3.5
    assert said == ["columns are separated by ';'"]


def test_numbers_of_another_mark_are_named_as_they_stand():
    said = message(sheet("{d};1;1;1.5"), decimal=",")
    assert "with sales that is not a number: line 2: \"1.5 (the decimal mark is ',')\"" in said
    assert "not a number: line 41: 'Summe'" in message(sheet("{d};1;1;{n},5").replace("39,5", "Summe"))


def test_files_of_a_folder_have_their_own_marks():
    files = [("a.csv", sheet("{d};1;1;{n},25")), ("b.csv", sheet("{d},1,2,{n}.25", header="date,store,item,sales"))]
    named = layout()
    found, _ = read_records(read_files([(name, pa.py_buffer(text.encode())) for name, text in files], named), named)
    np.testing.assert_array_equal(found.sales[0], found.sales[1])
    assert found.sales[0, 7] == 7.25


@pytest.mark.parametrize(("header", "row", "melt"), [
    ("datum,M01AB,M01AE,N02BA,N02BE", "2024-01-01,1,2.5,3,4", "melt(['datum'], var_name='item', value_name='sales')"),
    ("date;weekday;1;2;3", "2024-01-01;Mon;1,5;2;3", "melt(['date'], var_name='item', value_name='sales')"),
    ("article,shop,d_1,d_2,d_3", "a,b,1,1,1", "melt(['article', 'shop'], var_name='date', value_name='sales')"),
    ("article,2024-01-01,2024-01-02,2024-01-03", "a,1,1,1", "melt(['article'], var_name='date', value_name='sales')"),
    ("article,01.02.2024,02.02.2024,03.02.2024", "a,1,1,1", "melt(['article'], var_name='date', value_name='sales')"),
])
def test_wide_files_get_the_lines_that_melt_them(header: str, row: str, melt: str):
    said = message(f"{header}\n{row}\n")
    lines = "make it long, and name data/long.csv in data.source:\n    import pandas as pd\n    pd.read_csv('sales.csv')."
    assert lines + melt in said


@pytest.mark.parametrize(("header", "row", "expected"), [
    ("Date,Store,Sales", "2024-01-01,1,2",
     ["no column 'date', 'store', 'item', 'sales': ", "Is 'Date' the date? Is 'Store' the store?"]),
    ("id,Datum,Umsatz", "1,2024-01-01,2",
     ["no column 'date', 'store', 'item', 'sales'", "null where there is no store, item or sales",
      "found 'id', 'Datum', 'Umsatz'."]),
])
def test_all_columns_that_are_missing_are_named_at_once(header: str, row: str, expected: list[str]):
    said = message(f"{header}\n{row}\n")
    assert [part for part in expected if part not in said] == [], said
    assert "melt" not in said


@pytest.mark.parametrize(("first", "what"), [
    ("2020-01", "months"), ("01/2020", "months"), ("202001", "months"), ("Jan 2020", "months"),
    ("2020-W05", "weeks"), ("2020Q1", "quarters"),
])
def test_periods_are_no_days(first: str, what: str):
    said = message(f"date,store,item,sales\n{first},1,1,5\n")
    assert f"sales.csv has {what} ({first!r}), no days: forecasts are of days, and learn from weekdays" in said
    assert "Export the sales per day" in said


def test_a_spreadsheet_s_day_numbers_are_no_dates():
    said = message("date,store,item,sales\n45292,1,1,5\n")
    assert "has a spreadsheet's day numbers ('45292'), no dates: format the column" in said


@pytest.mark.parametrize("form", [
    "%d.%m.%Y", "%m/%d/%y", "%d-%b-%Y", "%d-%b-%y", "%Y-%m-%dT00:00:00+01:00", "%Y-%m-%d 00:00:00 UTC"])
def test_days_in_other_forms_are_read_and_said(form: str):
    found, said = records(sheet("{d};1;1;{n}", form))
    assert found.dates.astype(object).tolist() == DAYS
    assert (f"dates are read as {form}" in said) == (not form.startswith("%Y"))


def test_one_wrong_date_does_not_make_all_dates_wrong():
    said = message(sheet("{d};1;1;{n}", "%d.%m.%Y") + "soon;1;1;780\n")
    assert "1 row with a date that is none: line 42: 'soon'" in said


def test_what_was_decided_is_said():
    content = sheet("milk,{d},{n}", header="unique_id,ds,y")
    assert records(content)[1] == ["the columns unique_id, ds, y are read as item, date and sales of one store, all"]
