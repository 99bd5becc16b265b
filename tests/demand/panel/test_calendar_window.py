"""Events on their way from prepare to the training window, the forecast and the API: nothing later changes what came before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from api.app import create_app
from api.serving.served import Served
from demand.cleaning.cleaning_report import prepare
from demand.model.demand_model import DemandModel
from demand.panel.lag_features import feature_table, known_future_columns
from demand.panel.long_table import from_table, to_table
from demand.panel.panel import Panel
from demand.panel.store_events import StoreEvents
from demand.panel.training_window import cut_window
from tests.api.conftest import put_data, put_model, started
from tests.api.conftest import settings as settings_of
from tests.demand.ingest.test_events import HEAD
from tests.demand.model.base.test_calendar_effect import DAYS, FEAST, curve, feast, position, with_events
from tests.stages.test_prepare import HEADER, params, text
from tests.support.panels import TRAIN, noisy, panel, ready, shaped

FIRST = np.datetime64("2023-01-01")
THROUGH = np.datetime64("2023-12-27")
EARLY = "Fair,2023-05-01,2023-05-07,\nSale,2023-12-20,2024-01-10,1\n"


def sales(stores: int, days: int) -> str:
    """Two items a store; store n begins 100 (n - 1) days in, sells nothing on Christmas, and has no rows on 1 May."""
    rng = np.random.default_rng(7)
    units = rng.poisson(20, (9, 2, 800))
    rows = []
    for store in range(1, stores + 1):
        for item in (1, 2):
            for day in range(250 * (store - 1), days):
                at = str(FIRST + day)
                if not (at.endswith("05-01") and store == 1):
                    rows.append(f"{at},{store},{item},{0 if at.endswith('12-25') else units[store, item - 1, day]}")
    return text(*rows, header=HEADER)


def features(content: str, events: str, place: str | None = "DE") -> pa.Table:
    chosen = params(calendar={"default": place} if place else None)
    cleaned, _ = prepare(pa.py_buffer(content.encode()), chosen.data, chosen.prepare, 1,
                         {"events": pa.py_buffer((HEAD + events).encode())})
    table = written(to_table(cleaned))
    return written(feature_table(from_table(table, known_future_columns(table.column_names))))


def written(table: pa.Table) -> pa.Table:
    """As it is read again from its file."""
    stream = pa.BufferOutputStream()
    parquet.write_table(table.combine_chunks(), stream, compression="zstd")
    return parquet.read_table(pa.BufferReader(stream.getvalue()))


def window(*given: str) -> bytes:
    stream = pa.BufferOutputStream()
    parquet.write_table(cut_window(features(*given), THROUGH).combine_chunks(), stream, compression="zstd")
    return bytes(stream.getvalue())


BEFORE = window(sales(2, 361), EARLY)


@settings(max_examples=15, deadline=None)
@given(days=st.integers(362, 760), stores=st.sampled_from([2, 3]), start=st.integers(1, 900), length=st.integers(0, 40))
def test_later_days_stores_holidays_and_events_leave_the_window_as_it_was(days: int, stores: int, start: int, length: int):
    first, last = THROUGH + start, THROUGH + start + length
    later = f"New fair,{first},{last},\nFair,{THROUGH + 400 + start},,1\n"
    if stores == 3 and days > 500:
        later += f"Opening,{last},,3\n"
    assert window(sales(stores, days), EARLY + later) == BEFORE


def test_earlier_events_other_places_and_longer_windows_do_change_it():
    content = sales(2, 361)
    assert window(content, EARLY) == BEFORE
    assert window(content, EARLY + "Market,2023-12-27,,\n") != BEFORE
    assert window(content, EARLY, "DE-BY") != BEFORE
    assert window(content, "", "DE") != BEFORE


def test_an_event_that_is_under_way_is_cut_and_one_to_come_is_not_there():
    kept = from_table(parquet.read_table(pa.BufferReader(BEFORE))).events
    assert kept
    names = {event.name: event.last for event in kept.by_store[1]}
    assert names["Sale"] == date(2023, 12, 27)
    assert "Sale" not in {event.name for event in kept.by_store[2]}
    assert max(event.last for events in kept.by_store.values() for event in events) == date(2023, 12, 27)
    known = from_table(features(sales(2, 361), EARLY)).events
    assert known
    assert max(event.first for event in known.by_store[1]).year >= 2024


def test_a_calendar_without_anything_so_far_is_no_calendar():
    content = sales(1, 400)
    late = "Fair,2024-06-01,,\n"
    assert window(content, late, None) == window(content, "", None)


@settings(max_examples=8, deadline=None)
@given(st.integers(362, 700))
def test_no_later_day_changes_a_cleaned_one(days: int):
    before, after = (from_table(features(sales(2, each), EARLY)).through(THROUGH) for each in (361, days))
    stop = before.column(THROUGH) + 1
    for name in ("sales", "status"):
        np.testing.assert_array_equal(getattr(before, name)[:, :stop], getattr(after, name)[:, :stop])


@pytest.fixture(scope="module")
def moving() -> tuple[Panel, DemandModel]:
    """A moving feast is 30 days ahead; events of both stores."""
    origin = position(date(2024, 3, 1))
    whole = panel(noisy(10 * shaped(6, DAYS + 120) * np.exp(curve(FEAST, length=DAYS + 120))))
    whole = with_events(whole, *feast("feast", FEAST)).through(whole.dates[origin])
    return whole, DemandModel.fit(whole, TRAIN, 60)


def test_the_api_knows_what_the_batch_knows_and_its_what_if_as_well(moving: tuple[Panel, DemandModel], tmp_path: Path):
    whole, model = moving
    put_data(tmp_path / "tree", whole)
    put_model(tmp_path / "tree", model)
    batch = model.predict(from_table(feature_table(ready(whole, 60))), whole.last_day, 60).point
    with TestClient(create_app(settings_of(tmp_path / "tree", tmp_path / "state"))) as client:
        series = started(client).get("/forecast", params={"store": 1, "item": 2}).json()
        recent = whole.sales[1, whole.column(whole.last_day) - 27:whole.column(whole.last_day) + 1]
        body = {"recent_sales": recent.tolist()}
        same = client.post("/forecast", params={"store": 1, "item": 2}, json=body).json()
        more = client.post("/forecast", params={"store": 1, "item": 2}, json={"recent_sales": (2 * recent).tolist()}).json()
        builds = [path.parent for path in (tmp_path / "state").rglob("facts.json")]
    assert series["predicted_sales"] == pytest.approx(batch[1].tolist(), rel=1e-4)
    assert same["predicted_sales"] == pytest.approx(series["predicted_sales"], rel=1e-6)
    eve = series["date"].index(str(FEAST[-1].replace(day=30)))
    for made in (series, more):
        assert made["predicted_sales"][eve] > 1.4 * made["predicted_sales"][eve - 7]
    assert Served.map(builds[0]).whatif.events == whole.events


def test_drift_judges_by_forecasts_that_know_the_feast(moving: tuple[Panel, DemandModel]):
    """The champion's own forecast of the feast is on the spot; one that does not know it is far off."""
    whole, model = moving
    later = panel(noisy(10 * shaped(6, DAYS + 120) * np.exp(curve(FEAST, length=DAYS + 120))))
    at = [position(FEAST[-1]) - 1, position(FEAST[-1])]
    errors = []
    for events in (whole.events, None):
        shown = replace(whole, events=events)
        made = model.predict(shown, whole.last_day, 60).point[:, np.array(at) - whole.column(whole.last_day) - 1]
        errors.append(float(np.abs(made - later.sales[:, at]).sum() / later.sales[:, at].sum()))
    assert errors[0] < 0.15 < 0.3 < errors[1]


def test_groups_follow_the_stores_of_the_panel():
    events = StoreEvents({1: feast("a", FEAST), 2: feast("b", FEAST), 3: feast("a", FEAST), 9: feast("c", FEAST)})
    groups = events.groups(np.array([1, 1, 2, 3, 4]))
    assert [(each[0].name, series.tolist()) for each, series in groups] == [("a", [0, 1, 3]), ("b", [2])]
