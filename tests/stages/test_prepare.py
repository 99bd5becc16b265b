"""The prepare stage on good, odd and bad files: what it repairs it counts, what it refuses it names."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from demand.panel.long_table import to_table
from tests.support.examples import mess
from tests.support.parts import REAL
from tests.support.sales_files import (
    HEADER,
    PLANNED,
    PLANNED_HEADER,
    cleaned,
    lines,
    params,
    planned,
    prepare_with,
    text,
)
from workspace.run import paths

ODD = {
    "byte order mark": (b"\xef\xbb\xbf" + text(*lines()).encode(), {"byte_order_marks_removed": 1}),
    "windows": (text(*lines()).replace("\n", "\r\n"), {"lines_ending_in_carriage_return": 31, "mixed_line_endings": 0}),
    "old mac": (text(*lines()).replace("\n", "\r"), {"lines_ending_in_carriage_return": 31, "mixed_line_endings": 0}),
    "mixed": (text(*lines()).replace("\n", "\r\n", 7), {"lines_ending_in_carriage_return": 7, "mixed_line_endings": 1}),
    "no last line end": (text(*lines())[:-1], {"blank_lines_skipped": 0}),
    "blank lines": ("\n" + text(*lines(15), "", "   ", *lines()[15:], "", ""), {"blank_lines_skipped": 5}),
    "padded header": (text(*lines(), header=" date,store ,item,sales\t"), {"column_names_trimmed": 3}),
    "quoted": (text(*lines(), header='"date","store","item","sales"').replace(",1,1,", ',"1","1",'), {"column_names_trimmed": 0}),
    "padded ids": (text(*lines()).replace(",1,1,", ", 1,1 ,"), {"ids_trimmed": 60}),
    "midnights": (text(*lines()).replace(",1,1,", " 00:00:00,1,1,"), {"dates_with_a_time_of_day": 30}),
    "iso midnights": (text(*lines()).replace(",1,1,", "T00:00:00.000Z,1,1,"), {"dates_with_a_time_of_day": 30}),
    "other columns": (text(*(f"{row},9,hey" for row in lines()), header=HEADER + ",price,note"),
                      {"columns_ignored": "price, note"}),
    "other order": (text(*(",".join(row.split(",")[::-1]) for row in lines()), header="sales,item,store,date"), {}),
    "padded numbers": (text(*(f"{row} " for row in lines())), {}),
    "decimals": (text(*(f"{row}.0" for row in lines())), {}),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_are_mended_and_counted(stage, case):
    assert stage(text(*lines()))[0] == 0
    plain = cleaned()
    content, expected = ODD[case]
    code, error, metrics = stage(content)
    assert (code, error) == (0, "")
    assert {name: metrics[name] for name in expected} == expected
    assert metrics["rows_read"] == 30
    assert cleaned().equals(plain)


def test_missing_days_and_values_are_filled_and_counted(stage):
    rows = lines()
    rows[14] = rows[14].rsplit(",", 1)[0] + ",NaN"
    rows[15] = rows[15].rsplit(",", 1)[0] + ","
    del rows[20:22]
    code, _, metrics = stage(text(*rows))
    assert code == 0
    assert metrics["missing_values_filled"] == 2
    assert metrics["missing_days_filled"] == 2
    table = cleaned()
    assert table["sales"].to_pylist() == [20 + day % 7 for day in range(30)]  # a perfect week fills itself
    assert [day for day, status in enumerate(table["status"].to_pylist()) if status == "filled"] == [14, 15, 20, 21]
    assert table["recorded"].null_count == 4


def test_a_series_that_stops_early_is_filled_and_named(stage):
    _, _, metrics = stage(text(*lines(70), *lines(30, item="2")))
    assert (metrics["stale_series"], metrics["stale_series_named"]) == (1, "store 1, item 2")
    assert metrics["missing_days_filled"] == 40
    assert cleaned().num_rows == 140


def test_a_typing_error_is_lowered_and_what_was_recorded_is_kept(stage):
    rows = lines(120)
    rows[100] = rows[100].rsplit(",", 1)[0] + ",2200"
    _, _, metrics = stage(text(*rows))
    assert metrics["outliers_lowered"] == 1
    table = cleaned()
    assert table["status"][100].as_py() == "outlier"
    assert table["recorded"][100].as_py() == 2200
    assert 22 < table["sales"][100].as_py() < 100
    assert metrics["outlier_units_removed"] == pytest.approx(2200 - table["sales"][100].as_py(), abs=0.01)


@pytest.mark.parametrize(("ids", "expected"), [
    (["2", "10", "1"], [1, 2, 10]), (["-1", "0", "7"], [-1, 0, 7]), (["01", "2", "10"], ["01", "10", "2"]),
    (["B", "a", "Ä"], ["B", "a", "Ä"]),
    (["1.5", "2", "3"], ["1.5", "2", "3"]), (["NA", "null", "x y"], ["NA", "null", "x y"]),
    (["99999999999999999999", "1", "2"], ["1", "2", "99999999999999999999"]),
])
def test_ids_are_integers_where_all_of_them_are(stage, ids, expected):
    assert stage(text(*(row for name in ids for row in lines(store=name))))[0] == 0
    assert cleaned()["store"].unique().to_pylist() == expected


def test_parquet_with_its_own_types_gives_the_same(stage):
    assert stage(text(*lines(), *lines(store="2")))[0] == 0
    expected = cleaned()
    table = expected.select(["date", "store", "item", "sales"])
    coded = pa.dictionary(pa.int8(), pa.string())
    variants = [(pa.timestamp("ns"), pa.int16(), pa.int8(), pa.int32()), (pa.date64(), pa.float64(), pa.string(), pa.float32()),
                (pa.string(), pa.string(), coded, pa.string())]
    for kinds in variants:
        sink = pa.BufferOutputStream()
        columns = [column.cast(pa.string()).cast(kind) if kind == coded else column.cast(kind)
                   for column, kind in zip(table.columns, kinds, strict=True)]
        parquet.write_table(pa.table(columns, table.column_names), sink)
        code, error, _ = stage(sink.getvalue().to_pybytes())
        assert (code, error) == (0, "")
        assert cleaned().equals(expected), kinds


def test_parquet_rows_are_named_by_their_number(stage):
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"date": ["2024-01-01"] * 2, "store": [1, None], "item": [1, 1], "sales": [3.0, -3.0]}), sink)
    code, error, _ = stage(sink.getvalue().to_pybytes())
    assert code == 1
    assert "1 row without a store: row 2" in error
    assert "negative sales: row 2: '-3.0'" in error


def test_known_columns_are_kept_carried_over_missing_rows_and_seen_beyond_as_of(stage):
    rows = planned(days=40, future=10)
    del rows[20:23]
    code, _, metrics = stage(text(*rows, header=PLANNED_HEADER), {**PLANNED, "data.as_of": "2024-02-05"})
    assert code == 0
    assert metrics["last_day"] == "2024-02-05"
    assert metrics["rows_hidden_by_as_of"] == 4
    assert metrics["future_rows"] == 14
    assert metrics["known_future_rows_carried"] == 3
    table = cleaned()
    assert table["status"].to_pylist()[-14:] == ["future"] * 14
    assert table["sales"].to_pylist()[-14:] == [None] * 14
    assert table["recorded"].to_pylist()[-14:] == [None] * 14
    assert table["promo"].to_pylist() == [(day if not 20 <= day < 23 else day - 7) % 2 for day in range(50)]


def test_closed_days_are_what_the_source_says(stage):
    rows = planned()
    rows[3] = rows[3].replace(",20,1,1", ",0,1,0")
    rows[4] = rows[4].replace(",20,0,1", ",6,0,0")
    rows[5] = rows[5].replace(",20,1,1", ",0,1,1")
    _, _, metrics = stage(text(*rows, header=PLANNED_HEADER), PLANNED)
    table = cleaned()
    assert table["status"].to_pylist()[3:6] == ["closed", "closed", "observed"]
    assert table["sales"].to_pylist()[3:6] == [0, 0, 0]
    assert table["recorded"].to_pylist()[3:6] == [0, 6, 0]
    counts = [metrics[f"closed_days{what}"] for what in ("", "_with_sales_set_to_0", "_inferred_from_zeros")]
    assert counts == [2, 1, 0]


def test_shuffled_rows_give_the_same_bytes(stage):
    rows = [*lines(60), *lines(50, store="2", first="2024-01-11"), *lines(60, item="7", level=200)]
    stage(text(*rows))
    expected = paths.CLEANED.read_bytes()
    np.random.default_rng(3).shuffle(rows)
    stage(text(*rows))
    assert paths.CLEANED.read_bytes() == expected


def test_as_of_gives_what_a_source_that_ends_there_gives(stage):
    rows = [*lines(60), *lines(20, store="2", first="2024-02-11")]
    stage(text(*(row for row in rows if row < "2024-02-10")))
    expected = paths.CLEANED.read_bytes()
    code, _, metrics = stage(text(*rows), {"data.as_of": "2024-02-09"})
    assert code == 0
    assert (metrics["rows_hidden_by_as_of"], metrics["series_not_begun"]) == (40, 1)
    assert paths.CLEANED.read_bytes() == expected


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.3, 1))
def test_rows_after_a_day_change_no_byte_before_it(seed, share):
    """The file cut at a day, and the whole one in any order, have the same rows up to that day."""
    records, rng = mess(seed), np.random.default_rng(seed)
    series, day = np.nonzero(records.row)
    rows = [f"{records.dates[d]},{records.store[s]},{records.item[s]},{records.sales[s, d]}"
            for s, d in zip(series, day, strict=True)]
    rng.shuffle(rows)
    cut = str(records.dates[int(share * (len(records.dates) - 1))])
    early = [row for row in rows if row[:10] <= cut]
    as_of = max(row[:10] for row in early if not row.endswith("nan"))

    def table(content: list[str], until: str) -> pa.Table:
        return to_table(prepare_with(pa.py_buffer(text(*content).encode()), params(as_of=until))[0])

    newest = max(row[:10] for row in rows if not row.endswith("nan"))
    whole, past = table(rows, newest), table(early, as_of)
    kept = [value <= date.fromisoformat(as_of) for value in whole["date"].to_pylist()]
    assert table(rows, as_of).equals(past)
    assert whole.filter(pa.array(kept)).equals(past)


@pytest.mark.needs("data")
def test_the_real_file_keeps_its_peaks_and_loses_its_typing_errors(stage):
    content = (REAL / "store_item_train.csv").read_bytes()
    code, _, metrics = stage(content)
    assert code == 0
    assert (metrics["series"], metrics["series_days"]) == (500, 913_000)
    assert (metrics["first_day"], metrics["last_day"]) == ("2013-01-01", "2017-12-31")
    assert metrics["outliers_lowered"] <= 1
    rows = content.decode().splitlines()
    rng = np.random.default_rng(11)
    broken = rng.choice(np.arange(1, len(rows)), 400, replace=False)
    for row, zeros in zip(broken, rng.choice(["0", "00"], len(broken)), strict=True):
        rows[row] += zeros
    _, _, metrics = stage("\n".join(rows))
    assert 380 <= metrics["outliers_lowered"] <= 401
