"""A client that openapi-python-client makes from the document calls every route."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.serving.bodies import Running, serving
from tests.api.conftest import KEY

DAY = "2024-02-25"
PACKAGE = "store_item_demand_client"
TERMS = {"lead_time": 2, "review_period": 5, "service_level": 0.9}
QUERY = {"store": 1, "item": 2, "date": DAY}


@pytest.fixture(scope="module")
def running(template: Path) -> Iterator[Running]:
    with serving(template, KEY) as server:
        yield server


@pytest.fixture(scope="module")
def generated(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package; a warning of the generator fails."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(running.ask("/openapi.json")[1])
    (folder / "config.yml").write_text("post_hooks: []\n")
    result = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none",
         "--output-path", PACKAGE, "--config", "config.yml", "--fail-on-warning"],
        cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module(PACKAGE)


@pytest.fixture(scope="module")
def client(running: Running, generated: ModuleType) -> Any:
    return generated.AuthenticatedClient(f"http://127.0.0.1:{running.port}", token=KEY, prefix="", auth_header_name="X-API-Key")


def call(client: Any, group: str, name: str, **arguments: Any) -> Any:
    """What an operation answers, as the client's own type."""
    operation = importlib.import_module(f"{PACKAGE}.api.{group}.{name}")
    response = operation.sync_detailed(client=client, **arguments)
    assert response.status_code == 200, response.content
    assert response.parsed is not None or group == "status"
    return response.parsed


def model(name: str) -> Any:
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


def body(name: str, content: dict[str, Any]) -> Any:
    return model(name).from_dict(content)


def test_every_route_is_called(client: Any, running: Running) -> None:
    prediction = call(client, "forecasts", "predict", body=body("Query", QUERY))
    columns = body("Columns", {name: [value] * 2 for name, value in QUERY.items()})
    assert call(client, "forecasts", "predict_batch", body=columns).predicted_sales == [prediction.predicted_sales] * 2
    rows = call(client, "forecasts", "predict_batch", body=body("Rows", {"rows": [QUERY]}))
    assert rows.rows[0]["predicted_sales"] == prediction.predicted_sales
    more = body("WhatIfQuery", {"horizon": 3, "known_future": {"promo": {DAY: 1}}})
    for suffix in ("", "_by_path"):
        series = call(client, "forecasts", f"forecast{suffix}", store="1", item="2", history=3)
        assert (series.predicted_sales[0], len(series.history.sales)) == (prediction.predicted_sales, 3)
        assert call(client, "forecasts", f"forecast_what_if{suffix}", store="1", item="2", body=more).what_if
    reasons = call(client, "forecasts", "explain", store="1", item="2", start=DAY, end=DAY)
    assert (reasons.series, reasons.days) == (1, 1)
    assert reasons.forecast == pytest.approx(prediction.predicted_sales, abs=1e-6)
    total = call(client, "forecasts", "total", store=["1"], step=model("TotalStepType0")("week"), quantile=[0.9])
    orders = call(client, "forecasts", "orders", body=body("OrderQuery", TERMS | {"store": [1], "item": [2], "on_hand": [3]}))
    assert (len(total.quantiles["0.9"]), orders.item) == (3, [2])
    assert call(client, "forecasts", "series").stores[0].items == [1, 2, 3]
    assert call(client, "model", "model").role == "candidate"
    assert call(client, "model", "reload").result == "unchanged"
    for name in ("root", "health", "ready", "metrics"):
        call(client, "status", name)
    operations = [each["operationId"] for path in json.loads(running.ask("/openapi.json")[1])["paths"].values()
                  for each in path.values()]
    assert len(operations) == 16  # all of those above


def test_an_error_has_its_type(client: Any) -> None:
    operation = importlib.import_module(f"{PACKAGE}.api.forecasts.forecast")
    assert "no series" in operation.sync(client=client, store="9", item="1").detail
