"""Ids are opaque: whatever a retailer calls a store or an item is asked for, and answered, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.app import create_app
from api.serving.lookup_table import LookupTable, UnknownSeriesError
from tests.api.conftest import DAYS, ITEMS, STORES, settings, started

DAY = "2024-02-25"


@pytest.fixture(scope="module")
def client(opaque: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(create_app(settings(opaque, tmp_path_factory.mktemp("ids-state")))) as client:
        yield started(client)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("item", ITEMS)
def test_any_id_works_in_every_route(client: TestClient, store: str, item: str) -> None:
    row = {"store": store, "item": item}
    series = client.get("/forecast", params=row | {"history": 2}).json()
    assert {name: series[name] for name in row} == row
    prediction = client.post("/predict", json=row | {"date": DAY}).json()
    assert {name: prediction[name] for name in row} == row
    assert prediction["predicted_sales"] == series["predicted_sales"][0]
    batch = client.post("/predict/batch", json=[row | {"date": DAY}]).json()["rows"][0]
    assert (batch["store"], batch["item"], batch["predicted_sales"]) == (store, item, prediction["predicted_sales"])
    what_if = client.post("/forecast", params=row, json={"recent_sales": [1.0]}).json()
    assert (what_if["store"], what_if["item"], what_if["what_if"]) == (store, item, True)
    assert {"store": store, "items": list(ITEMS)} in client.get("/series").json()["stores"]


def test_the_path_form_is_for_ids_without_slashes_and_dot_segments(client: TestClient) -> None:
    for item in ITEMS:
        assert client.get(f"/forecast/{quote('a/b', safe='')}/{quote(item, safe='')}").status_code == 404


def test_leading_zeros_are_part_of_an_id(client: TestClient) -> None:
    assert client.get("/forecast", params={"store": "..", "item": "7"}).status_code == 404
    assert client.post("/predict", json={"store": "..", "item": 7, "date": DAY}).status_code == 404


@hypothesis_settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.text(min_size=1, max_size=20))
def test_a_number_is_known_by_its_own_spelling_alone(number: int, text: str) -> None:
    table = LookupTable.of(np.zeros((1, 1, 5)), [number], [1], np.datetime64("2024-01-01"))
    assert table.row(str(number), "1") == 0
    if text != str(number):
        with pytest.raises(UnknownSeriesError):
            table.row(text, 1)
    for other in (f"0{number}", f"+{number}", f" {number}", f"{number}.0"):
        with pytest.raises(UnknownSeriesError):
            table.row(other, 1)


def test_history_has_the_days_of_the_data(client: TestClient) -> None:
    answer = client.get("/forecast", params={"store": "a/b", "item": "007", "history": 3660}).json()
    assert len(answer["history"]["date"]) == DAYS
