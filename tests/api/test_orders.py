"""Orders that the API gives, held against the library's, and how it answers what cannot be ordered."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel
from demand.planning.orders import OrderTerms, plan_orders
from tests.api.conftest import HORIZON, STORES, settings, started
from tests.support.examples import ROOT

PLAIN: dict[str, Any] = {"lead_time": 2, "review_period": 5, "service_level": 0.9}
COLUMNS = ("store", "item", "until", "predicted_sales", "order_up_to", "quantity")
SOME = {"store": [2, "1", 2], "item": [3, 2, 3]}


def terms(**changes: list[float]) -> OrderTerms:
    plain = PLAIN | {"on_hand": 0, "on_order": 0, "pack_size": np.nan, "minimum_order": 0} | changes
    series = len(next(iter(changes.values())))
    return OrderTerms(**{key: np.broadcast_to(np.array(value, "f8"), series) for key, value in plain.items()})


def test_orders_are_those_of_the_library(client: TestClient, model: DemandModel, panel: Panel, made: Forecast) -> None:
    own: dict[str, Any] = {"lead_time": [1, 0, 8], "service_level": [0.5, 0.95, 0.99], "on_hand": [10, -3, 0],
                           "on_order": [5, 0, 2], "pack_size": [12, 0.5, 7], "minimum_order": [0, 900, 30]}
    got = client.post("/orders", json=PLAIN | SOME | own).json()
    rows = np.array([5, 1, 5])
    plan = plan_orders(model.joint_error, made.point[rows], panel.store[rows] - 1, panel.item[rows] - 1, terms(**own))
    for name, expected in (("predicted_sales", plan.forecast), ("order_up_to", plan.order_up_to), ("quantity", plan.quantity)):
        np.testing.assert_allclose(got[name], expected, rtol=1e-6)
    assert (got["store"], got["item"]) == ([2, 1, 2], [3, 2, 3])
    assert got["until"] == ["2024-03-01", "2024-02-29", "2024-03-08"]


def test_without_series_all_are_ordered(client: TestClient) -> None:
    got = client.post("/orders", json=PLAIN).json()
    listed = [(each["store"], item) for each in client.get("/series").json()["stores"] for item in each["items"]]
    assert list(zip(got["store"], got["item"], strict=True)) == listed
    asked = client.post("/orders", json=PLAIN | {"store": got["store"], "item": got["item"]}).json()
    assert asked == got
    totals = [client.get("/total", params={"store": s, "item": i, "end": got["until"][0]}).json() for s, i in listed]
    np.testing.assert_allclose(got["predicted_sales"], [each["predicted_sales"][0] for each in totals], rtol=1e-6)


def test_what_is_left_out_and_null_mean_the_same(client: TestClient) -> None:
    nulls = {key: [None] * 3 for key in ("on_hand", "on_order", "pack_size", "minimum_order")}
    assert (client.post("/orders", json=PLAIN | SOME | nulls).json() == client.post("/orders", json=PLAIN | SOME).json()
            == client.post("/orders", json=PLAIN | SOME | dict.fromkeys(nulls)).json())


def test_csv_says_what_json_does(client: TestClient) -> None:
    plain = client.post("/orders", json=PLAIN | SOME, headers={"accept": "*/*"})
    assert plain.headers["content-type"] == "application/json"
    for query, accept in (("?format=csv", "application/json"), ("", "text/csv")):
        answer = client.post(f"/orders{query}", json=PLAIN | SOME, headers={"accept": accept})
        assert answer.headers["content-type"].startswith("text/csv")
        header, *lines = csv.reader(io.StringIO(answer.text))
        assert tuple(header) == COLUMNS
        assert [json.loads(f'["{s}","{i}","{u}",{",".join(rest)}]') for s, i, u, *rest in lines] == [
            [str(s), str(i), *rest] for s, i, *rest in zip(*(plain.json()[name] for name in COLUMNS), strict=True)]
    assert client.post("/orders?format=json", json=PLAIN, headers={"accept": "text/csv"}).json()["store"]


def test_no_series_is_no_order(client: TestClient) -> None:
    assert client.post("/orders", json=PLAIN | {"store": [], "item": []}).json()["quantity"] == []


@pytest.mark.parametrize(("change", "status", "place", "says"), [
    ({"lead_time": None}, 422, ["lead_time"], "valid number"),
    ({"lead_time": 1.5}, 422, ["lead_time"], "lead_time 1.5 must be whole days"),
    ({"lead_time": 10}, 422, ["lead_time"], f"more than the {HORIZON} days that are forecast"),
    ({"lead_time": True}, 422, ["lead_time"], "valid number"),
    ({"review_period": 0}, 422, ["review_period"], "1 or more"),
    ({"service_level": 95}, 422, ["service_level"], "0.95 not to run out in 95 %"),
    (SOME | {"service_level": [0.9, "0.9", 0.9]}, 422, ["service_level", 1], "valid number"),
    (SOME | {"service_level": [0.9, None, 0.9]}, 422, ["service_level", 1], "valid number"),
    (SOME | {"pack_size": [1, None, 0]}, 422, ["pack_size", 2], "pack_size 0 must be units, more than 0"),
    (SOME | {"on_order": [1, -2, 0]}, 422, ["on_order", 1], "on_order -2"),
    (SOME | {"on_hand": [1, 2]}, 422, [], "store 3, item 3, on_hand 2"),
    (SOME | {"store": [1, 2.5, 1]}, 422, ["store", 1], "integer"),
    ({"store": [1]}, 422, [], "come together"),
    ({"on_hand": [1]}, 422, ["on_hand"], "a list needs store and item"),
    ({"safety": 1}, 422, ["safety"], "not permitted"),
    ({"store": [1, 9, 9], "item": [1, 1, 2]}, 404, None, "store 9, item 1 (rows 1, 2, counted from 0)"),
    ({"store": [1] * 1001, "item": [1] * 1001}, 413, None, "1,001 rows are more than the 1,000"),
    ({"store": [1] * 20_000, "item": [1] * 1001}, 413, None, "more than 1,000 series need"),  # unparsed
    ({"x": [[]] * 60}, 422, [], "more than 50"),
])
def test_what_cannot_be_ordered_is_named(client: TestClient, change: dict[str, Any], status: int, place: list[Any] | None,
                                         says: str) -> None:
    answer = client.post("/orders", json=PLAIN | change)
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    if place is None:
        assert says in detail
    else:
        assert any(problem["loc"][1:1 + len(place)] == place and says in problem["msg"] for problem in detail), detail


def test_all_that_is_wrong_is_said_at_once(client: TestClient) -> None:
    answer = client.post("/orders", json={"lead_time": -1, "review_period": 0, "service_level": 2})
    assert [problem["loc"][1] for problem in answer.json()["detail"]] == ["lead_time", "review_period", "service_level"]
    assert {problem["loc"][1] for problem in client.post("/orders", json={}).json()["detail"]} == set(PLAIN)


def test_opaque_ids_are_quoted(opaque: Path, tmp_path: Path) -> None:
    with TestClient(create_app(settings(opaque, tmp_path))) as client:
        answer = started(client).post("/orders?format=csv", json=PLAIN)
        listed = client.get("/series").json()["stores"]
    lines = list(csv.reader(io.StringIO(answer.content.decode())))[1:]
    assert [line[:2] for line in lines] == [[each["store"], item] for each in listed for item in each["items"]]
    assert {line[0] for line in lines} == set(STORES)


def test_they_are_counted(client: TestClient) -> None:
    def counted(kind: str) -> float:
        text = client.get("/metrics").text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f'prediction_count{{kind="{kind}"}}')))

    before = counted("orders"), counted("total")
    client.post("/orders", json=PLAIN)
    client.get("/total?store=1&end=2024-02-26")
    assert (counted("orders") - before[0], counted("total") - before[1]) == (6 * 7, 3 * 2)


def test_what_only_training_needs_takes_no_memory_while_serving() -> None:
    heavy = {"scipy.optimize", "scipy.stats", "sklearn", "pandas"}
    code = f"import sys, api.app; sys.exit(' '.join({heavy} & set(sys.modules)) or None)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
