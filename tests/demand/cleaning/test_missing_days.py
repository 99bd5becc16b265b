"""Days without a row: zero or unknown, judged by what came before, and never shown as sold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.cleaning_report import prepare
from demand.cleaning.missing_days import LONGEST_CLOSURE, RETURNS, state_zeros
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest.records import Records
from demand.model.base.closing_probability import chance_of_closing
from demand.panel.panel import CLOSED, FILLED, OBSERVED, Panel
from tests.support.examples import PARAMS
from tests.support.parts import REAL
from workspace.run.all_params import parse_params

RULES = PrepareParams.model_validate(PARAMS["prepare"])


def till(seed: int = 0, series: int = 6, days: int = 80, stores: int = 1, level: float = 0.7) -> Records:
    """A till's records: a row where something was sold, none where not."""
    rng = np.random.default_rng(seed)
    sales = rng.poisson(level, (series, days)).astype("f4")
    sales[sales == 0] = np.nan
    sales[:, 0] = 1
    return Records(np.arange(series) % stores, np.arange(series), np.datetime64("2024-01-01") + np.arange(days), sales,
                   ~np.isnan(sales), np.empty((*sales.shape, 0), "f4"))


def cleaned(records: Records, rule: str, end: int | None = None) -> Panel:
    end = len(records.dates) - 1 if end is None else end
    return clean(*visible_records(state_zeros(records, end, rule)[0], end), RULES)


def test_a_till_s_missing_rows_are_zeros_once_series_have_come_back():
    records = till()
    panel, (_, decided) = cleaned(records, "auto"), state_zeros(records, 79, "auto")
    absent = np.isnan(records.sales)
    returns = np.cumsum((absent[:, :-1] & ~absent[:, 1:]).sum(axis=0))
    first = int(np.argmax(returns >= RETURNS)) + 1
    np.testing.assert_array_equal(panel.recorded[:, first:], np.nan_to_num(records.sales[:, first:]))
    assert (panel.status[:, first:] == OBSERVED).all()
    assert (panel.status[:, :first][absent[:, :first]] != OBSERVED).all()
    assert decided["days_without_a_row"] == absent.sum()
    assert ": nothing sold, as rows are missing on scattered days and no zero is recorded" in decided["missing_days"]
    assert f"(in 1 of 1 stores: 0 since 2024-01-{first + 1:02d})" in decided["missing_days"]


def test_a_recorded_zero_means_that_missing_rows_are_unknown():
    records = till()
    records.sales[2, 40], records.row[2, 40] = 0, True
    panel = cleaned(records, "auto")
    late = np.isnan(records.sales[:, 41:])
    assert (panel.status[:, 41:][late] == FILLED).all()
    assert np.isnan(panel.recorded[:, 41:][late]).all()
    np.testing.assert_array_equal(panel.status[:, :40], cleaned(till(), "auto").status[:, :40])


def test_rules_that_are_stated():
    records = till()
    absent = np.isnan(records.sales)
    assert (cleaned(records, "zero").recorded[absent] == 0).all()
    assert np.isnan(cleaned(records, "unknown").recorded[absent]).all()
    assert "unknown, as data.missing_days says" in state_zeros(records, 79, "unknown")[1]["missing_days"]


def test_a_store_without_rows_is_closed_where_missing_rows_mean_nothing_sold_and_unknown_elsewhere():
    records = till(level=6.0)
    records.sales[:, 60], records.row[:, 60] = np.nan, False
    assert (cleaned(records, "zero").status[:, 60] == CLOSED).all()
    assert np.isnan(cleaned(records, "zero").recorded[:, 60]).all()
    assert (cleaned(records, "unknown").status[:, 60] == FILLED).all()


def test_a_long_silence_of_a_whole_store_is_no_closure_and_lowers_no_forecast():
    """A lost feed, or a renovation: nothing is known of it, so the weekdays after it are no closed ones."""
    records = till(level=6.0, days=170, series=4, stores=2)
    store = records.store == 0
    silent = np.ix_(store, np.arange(100, 165))
    records.sales[silent], records.row[silent] = np.nan, False
    panel = cleaned(records, "zero")
    assert (panel.status[store, 100 : 100 + LONGEST_CLOSURE] == CLOSED).all()
    assert (panel.status[store, 100 + LONGEST_CLOSURE : 165] == FILLED).all()
    assert np.isnan(panel.recorded[store, 100:165]).all()
    for origin in (164, 169):  # before and after it opens again
        assert chance_of_closing(panel.extended(28), origin, 28)[store].max() == 0


def test_after_its_last_row_a_series_sells_nothing_as_long_as_its_store_sells():
    records = till()
    records.sales[3, 50:], records.row[3, 50:] = np.nan, False
    panel = cleaned(records, "zero")
    assert (panel.recorded[3, 50:] == 0).all()


def test_a_store_with_one_series_follows_its_weekdays():
    records = till(series=1, level=9.0)
    records.sales[0, 6::7], records.row[0, 6::7] = np.nan, False
    panel = cleaned(records, "zero")
    assert (panel.status[0, 20::7][: 8] == CLOSED).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), end=st.integers(5, 78), stores=st.integers(1, 3), zeros=st.booleans(),
       rule=st.sampled_from(["auto", "zero"]), silent=st.integers(0, 30))
def test_later_days_never_change_an_earlier_one(seed: int, end: int, stores: int, zeros: bool, rule: str, silent: int):
    """Whatever is judged of them; a store may be without any rows for weeks."""
    records = till(seed, stores=stores)
    gone = np.ix_(records.store == 0, np.arange(30, 30 + silent))
    records.sales[gone], records.row[gone] = np.nan, False
    if zeros:
        records.sales[seed % 6, 10 + seed % 60], records.row[seed % 6, 10 + seed % 60] = 0, True
    before, after = cleaned(records, rule, end), cleaned(records, rule)
    kept = np.isin(after.item, before.item)
    for name in ("sales", "recorded", "status"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name)[kept][:, : end + 1])


def test_complete_data_are_left_alone():
    records = till(level=40.0)
    whole, decided = state_zeros(records, 79, "auto")
    np.testing.assert_array_equal(whole.sales, records.sales)
    assert not whole.closed.any()
    assert decided["missing_days"] == ""
    assert replace(whole, closed=None).known_names == records.known_names


@pytest.mark.needs("data")
@pytest.mark.parametrize(("file", "columns"), [
    ("groceries", {"date": "Date", "store": None, "item": "itemDescription", "sales": None}),
    ("kiel_bakery", {"date": "Datum", "store": None, "item": "Warengruppe", "sales": "Umsatz"}),
])
def test_cleaned_units_are_the_recorded_ones(file: str, columns: dict):
    import pyarrow as pa

    path = REAL / f"field/{file}.csv"
    params = parse_params({**PARAMS, "data": {**PARAMS["data"], "source": str(path), "columns": columns}})
    panel, _ = prepare(pa.py_buffer(path.read_bytes()), params.data, params.prepare, 1)
    assert np.nansum(panel.sales) == pytest.approx(np.nansum(panel.recorded), rel=0.01)


def test_a_till_s_returns_leave_zeros_that_say_nothing_of_missing_rows():
    """A day whose returns outweigh its sales has a 0 that nobody recorded."""
    rng = np.random.default_rng(7)
    rows = [f"2024-{1 + d // 28:02}-{1 + d % 28:02},{item},{-3 if rng.random() < 0.1 else 2}"
            for d in range(112) for item in range(8) if rng.random() < 0.4]
    columns = {"date": "date", "store": None, "item": "item", "sales": "sales"}
    data = {**PARAMS["data"], "source": "x.csv", "columns": columns, "transactions": True}
    settings = parse_params({**PARAMS, "data": data})
    content = pa.py_buffer("\n".join(["date,item,sales", *rows]).encode())
    panel, metrics = prepare(content, settings.data, settings.prepare, 14)
    assert metrics["days_below_zero_set_to_0"] > 10
    assert metrics["missing_days_filled"] == 0
    assert "nothing sold, as the rows are transactions" in metrics["missing_days"]
    np.testing.assert_allclose(panel.sales[panel.status < FILLED].sum(), np.nansum(panel.recorded), rtol=0.01)
