"""Sums that the API gives, held against the library's sums of the forecast stage's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from demand.distribution.sums import forecast_sums
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel
from tests.api.conftest import HORIZON, ITEMS, STORES, settings, started

FIRST, LAST = "2024-02-25", "2024-03-09"  # a Sunday, a Saturday
GROUPS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [0, 1, 2, 3, 4, 5]), ({"store": 1}, [0, 1, 2]), ({"item": 3}, [2, 5]), ({"store": 2, "item": 1}, [3]),
    ({"store": [2, 1, 2], "item": ["1", "3"]}, [0, 2, 3, 5])]


@pytest.mark.parametrize(("group", "rows"), GROUPS)
@pytest.mark.parametrize(("first", "last"), [(0, HORIZON - 1), (3, 3), (2, 9)])
def test_a_total_is_the_sum_of_its_forecasts(client: TestClient, model: DemandModel, panel: Panel, made: Forecast,
                                             group: dict[str, Any], rows: list[int], first: int, last: int) -> None:
    days = [str(np.datetime64(FIRST) + day) for day in (first, last)]
    levels = [0.05, 0.5, 0.95]
    got = client.get("/total", params=group | {"start": days[0], "end": days[1], "quantile": [0.95, 0.05, 0.5, 0.5]}).json()
    units = made.point[rows, first:last + 1]
    store, item = panel.store[rows] - 1, panel.item[rows] - 1
    expected = forecast_sums(model.joint_error, units, first + 1, store, item, np.zeros(len(rows), int))
    assert (got["start"], got["end"], got["series"]) == ([days[0]], [days[1]], len(rows))
    assert got["predicted_sales"] == pytest.approx([float(units.sum(dtype="f8"))], rel=1e-6)
    assert list(got["quantiles"]) == [str(level) for level in levels]
    np.testing.assert_allclose([value[0] for value in got["quantiles"].values()], expected.quantiles(levels)[0], rtol=1e-6)
    for name in ("store", "item"):
        assert got[name] == (sorted({int(each) for each in np.atleast_1d(group[name])}) if name in group else None)


def test_a_total_adds_up_what_predict_says(client: TestClient) -> None:
    days = client.get("/forecast/1/2").json()["predicted_sales"]
    got = client.get("/total", params={"store": 1, "item": 2}).json()
    assert got["predicted_sales"][0] == pytest.approx(sum(days), rel=1e-6)
    assert list(got["quantiles"]) == ["0.025", "0.1", "0.9", "0.975"]
    assert got["forecast_origin"] == "2024-02-24"


@pytest.mark.parametrize(("step", "starts"), [
    ("day", [str(np.datetime64(FIRST) + day) for day in range(HORIZON)]),
    ("week", [FIRST, "2024-02-26", "2024-03-04"]), ("month", [FIRST, "2024-03-01"])])
def test_steps_are_totals_of_their_own(client: TestClient, step: str, starts: list[str]) -> None:
    got = client.get("/total", params={"store": 2, "step": step}).json()
    assert got["start"] == starts
    assert got["end"] == [str(np.datetime64(day) - 1) for day in starts[1:]] + [LAST]
    for k, (start, end) in enumerate(zip(got["start"], got["end"], strict=True)):
        alone = client.get("/total", params={"store": 2, "start": start, "end": end}).json()
        assert alone["predicted_sales"] == pytest.approx([got["predicted_sales"][k]], rel=1e-6)
        assert {level: [values[k]] for level, values in got["quantiles"].items()} == alone["quantiles"]


@pytest.mark.parametrize(("query", "status", "says"), [
    ("store=9", 404, "no series for store 9"),
    ("store=1&store=9", 404, "no series for store 9"),
    ("item=x", 404, "no series for item x"),
    ("start=2024-02-24", 422, f"{FIRST} to {LAST}"),
    ("end=2024-03-10", 422, f"{FIRST} to {LAST}"),
    ("end=2024-02-30", 422, "no date"),
    ("start=2024-03-02&end=2024-03-01", 422, "2024-03-01 is before 2024-03-02"),
    ("start=tomorrow", 422, "pattern"),
    ("step=year", 422, "'day', 'week' or 'month'"),
    ("quantile=0", 422, "greater than or equal to 0.001"),
    ("quantile=95", 422, "less than or equal to 0.999"),
    ("quantile=nan", 422, "finite"),
    ("quantile=x", 422, "valid number"),
    ("store=", 422, "at least 1 character"),
    ("&".join(["quantile=0.5"] * 101), 422, "at most 100"),
])
def test_a_wrong_question_says_what_is_wrong(client: TestClient, query: str, status: int, says: str) -> None:
    answer = client.get(f"/total?{query}")
    assert answer.status_code == status, answer.text
    assert says in answer.text


def test_ids_are_opaque(opaque: Path, tmp_path: Path) -> None:
    with TestClient(create_app(settings(opaque, tmp_path))) as client:
        started(client)
        for item in ITEMS:
            parts = [client.get("/total", params={"store": store, "item": item}).json() for store in STORES]
            both = client.get("/total", params={"store": STORES, "item": item}).json()
            assert both["predicted_sales"][0] == pytest.approx(sum(each["predicted_sales"][0] for each in parts), rel=1e-6)
            assert (both["store"], both["item"]) == (list(STORES), [item])
        assert client.get("/total", params={"item": "7"}).status_code == 404  # it is 007


def test_series_that_do_not_exist_are_no_group(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store and item are known, but not together."""
    served = client.app.state.services.store.served  # type: ignore[attr-defined]
    monkeypatch.setitem(served.sums.items, 77, 99)
    assert "no series for store 1, item 77" in client.get("/total?store=1&item=77").json()["detail"]
