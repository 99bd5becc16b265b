"""Input that cannot be used is refused with one clear message, and a mangled file never crashes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.panel.panel import FUTURE
from demand.schema.errors import UserError
from tests.support.examples import ROOT
from tests.support.sales_files import (
    HEADER,
    PLANNED,
    PLANNED_HEADER,
    lines,
    params,
    planned,
    prepare_with,
    text,
)
from workspace.run import paths

AHEAD = text(*planned(), header=PLANNED_HEADER)
BAD = {
    "missing file": (None, {}, ["sales.csv cannot be read", "set data.source"]),
    "empty": ("", {}, ["sales.csv is empty", "date, store, item, sales"]),
    "only blank lines": ("\n \n\n", {}, ["sales.csv is empty"]),
    "header only": (HEADER + "\n", {}, ["a header and no rows"]),
    "header without line end": (HEADER, {}, ["a header and no rows"]),
    "binary": (bytes(range(256)) * 20, {}, ["neither CSV in UTF-8 nor Parquet"]),
    "zip": (b"PK\x03\x04" + b"abc" * 50, {}, ["an Excel workbook or a ZIP archive: save it as CSV or Parquet"]),
    "latin-1 in a ragged row": (
        text(*lines(), "2024-03-01,Köln").encode("latin-1"), {}, ["have not the header's 4 columns", "Köln"]),
    "broken parquet": (b"PAR1 and nothing more", {}, ["neither CSV in UTF-8 nor Parquet"]),
    "not a table": ("<html><body>404</body></html>\n", {}, ["has no column 'date'", "data.source needs"]),
    "missing column": ("date,store,item\n2024-01-01,1,1\n", {}, ["has no column 'sales'", "found 'date', 'store', 'item'"]),
    "other case": (text(*lines(), header="Date,store,item,sales"), {}, ["has no column 'date'", "Is 'Date' the date?"]),
    "column twice": (text(*(f"{row},1" for row in lines()), header=HEADER + ",sales"), {}, ["2 columns named 'sales'"]),
    "missing known": (text(*lines()), {"data.known_future": ["promo"]}, ["no column 'promo'", "data.known_future names promo"]),
    "known is a key": (text(*lines()), {"data.known_future": ["sales"]}, ["data.known_future", "'sales' is taken"]),
    "ragged rows": (text(*lines(), "2024-03-01,1,1", "2024-03-02,1,1,3,4"), {},
                    ["2 rows have not the header's 4 columns", "line 32", "line 33"]),
    "bad date": (text(*lines(), "2024-02-30,1,1,5", "yesterday,1,1,5"), {},
                 ["2 rows with a date that is none", "line 32: '2024-02-30'", "line 33"]),
    "european date": (text("31.12.2023,1,1,4", *lines()), {},
                      ["1 row with a date that is none: line 2: '31.12.2023'", "YYYY-MM-DD"]),
    "hours": (text(*lines(), "2024-03-01 12:00,1,1,4"), {}, ["1 row with a time of day: line 32"]),
    "implausible date": (text(*lines(), "9999-01-01,1,1,4"), {}, ["line 32: '9999-01-01'", "between 1970 and 2099"]),
    "mistyped year": (text(*lines(), "2034-02-01,1,1,4"), {}, ["no series has sales between 2024-01-30 and 2034-02-01"]),
    "blank date": (text(*lines(), ",1,1,4"), {}, ["a date that is none: line 32: ''"]),
    "negative": (text(*lines(), "2024-03-01,1,1,-4"), {}, ["1 row with negative sales: line 32: '-4.0'"]),
    "text": (text(*lines(), "2024-03-01,1,1,many"), {}, ["sales that is not a number: line 32: 'many'"]),
    "text behind blank lines": (text(*lines(), "", "  ", "2024-03-01,1,1,many"), {}, ["line 34: 'many'"]),
    "infinite": (text(*lines(), "2024-03-01,1,1,inf"), {}, ["infinite sales: line 32: 'inf'"]),
    "too large": (text(*lines(), "2024-03-01,1,1,1e99"), {}, ["infinite sales: line 32"]),
    "duplicate": (text(*lines(), "2024-01-03,1,1,9"), {},
                  ["1 row with the store, item and date of an earlier row: line 32: (1 1 2024-01-03) as in line 4"]),
    "many duplicates": (text(*lines(), *lines()), {}, ["30 rows with the store", "and 25 more"]),
    "blank store": (text(*lines(), "2024-03-01, ,1,9"), {}, ["1 row without a store: line 32"]),
    "blank item": (text(*lines(), "2024-03-01,1,,9"), {}, ["1 row without an item: line 32"]),
    "several kinds": (text(*lines(), "x,1,1,-9"), {}, ["a date that is none: line 32", "negative sales: line 32"]),
    "no sales": (text("2024-01-01,1,1,", "2024-01-02,1,1,"), {}, ["no row has sales"]),
    "as_of before": (text(*lines()), {"data.as_of": "2023-12-31"}, ["data.as_of = 2023-12-31", "2024-01-01 to 2024-01-30"]),
    "as_of after": (text(*lines()), {"data.as_of": "2024-01-31"}, ["data.as_of = 2024-01-31", "2024-01-01 to 2024-01-30"]),
    "known is text": (AHEAD + "2024-03-30,1,1,,yes,1\n", PLANNED, ["promo that is not a number: line 42: 'yes'"]),
    "known is infinite": (AHEAD + "2024-03-30,1,1,,inf,1\n", PLANNED, ["infinite promo: line 42"]),
    "known ends early": (text(*planned(future=7), header=PLANNED_HEADER), PLANNED,
                         ["no rows with promo, open", "store 1, item 1: 2024-02-07 to 2024-02-09 (3 days)", "up to 2024-02-09"]),
    "known is empty ahead": (AHEAD.replace("2024-02-03,1,1,,1,1", "2024-02-03,1,1,,1,"), PLANNED,
                             ["open is empty for days to forecast", "store 1, item 1: 2024-02-03"]),
    "known is empty in history": (AHEAD.replace("2024-01-09,1,1,20,0,1", "2024-01-09,1,1,20,,1"), PLANNED,
                                  ["promo is empty in rows with history", "store 1, item 1: 2024-01-09"]),
    "unknown parameter": (text(*lines()), {"prepare.fill_week": 3}, ["prepare.fill_week is unknown", "fill_weeks"]),
}
YOUNG = {
    "three days": (text(*lines(), *lines(3, "2", first="2024-01-28")), {}, 2),
    "three days at as_of": (text(*lines()), {"data.as_of": "2024-01-03"}, 1),
    "a series without sales": (text(*lines(), "2024-01-05,2,1,"), {}, 1),
}


@pytest.mark.parametrize("case", YOUNG)
def test_nothing_is_refused_for_being_young(stage, case):
    content, changes, series = YOUNG[case]
    code, _, metrics = stage(content, changes)
    assert (code, metrics["series"]) == (0, series)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_one_clear_message(stage, case):
    content, changes, expected = BAD[case]
    assert stage(text(*lines()))[0] == 0
    before = paths.CLEANED.read_bytes(), paths.PREPARE_METRICS.read_bytes()
    if content is None:
        (paths.PARAMS.parent / "sales.csv").unlink()
    code, error, _ = stage(content, changes)
    assert code == 1
    assert error.startswith("error: ")
    assert "Traceback" not in error
    assert [part for part in expected if part not in error] == [], error
    assert (paths.CLEANED.read_bytes(), paths.PREPARE_METRICS.read_bytes()) == before
    assert [path.name for path in paths.CLEANED.parent.iterdir()] == [paths.CLEANED.name]


@pytest.mark.parametrize("case", ["text", "duplicate", "missing file"])
def test_bad_input_in_a_process_of_its_own(project, case):
    content, changes, expected = BAD[case]
    root = project({"data.source": "sales.csv", "forecast.horizon": 5, **changes})
    if content is not None:
        (root / "sales.csv").write_text(content)
    command = [sys.executable, "-m", "stages.prepare"]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(part in done.stderr for part in expected)
    assert not paths.CLEANED.exists()


SNIPPETS = [b"\n", b"\r", b",", b'"', b" ", b"-", b"09", b"e", b"nan", b"\xef\xbb\xbf", b"."]
PUT = st.one_of(st.binary(max_size=3), st.sampled_from(SNIPPETS))


@pytest.mark.filterwarnings("error")
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 3), PUT), min_size=1, max_size=6))
def test_a_mangled_file_is_read_or_refused_but_never_crashes(edits):
    content = bytearray(AHEAD.encode())
    for place, gone, put in edits:
        content[place : place + gone] = put
    try:
        panel, metrics = prepare_with(pa.py_buffer(bytes(content)), params(source="x.csv", known_future=["promo", "open"]))
    except UserError:
        return
    assert metrics["rows_read"] > 0
    assert np.isfinite(panel.sales[panel.status < FUTURE]).all()
