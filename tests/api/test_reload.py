"""The live model: what is loaded, what never is, and that a swap loses no request and mixes no versions."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.serving.model_store import CURRENT, ModelStore
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.api.conftest import DAYS, KEY, pointer, put_data, put_model, settings, started
from workspace.run import paths

QUERY = {"store": 1, "item": 1, "date": "2024-02-25"}
HEADERS = {"x-api-key": KEY}
VERSION = "20260102T030405Z"


@pytest.fixture
def live(tree: Path, tmp_path: Path) -> TestClient:
    with TestClient(create_app(settings(tree, tmp_path / "state", api_key=KEY))) as client:
        yield started(client)


def reload(client: TestClient) -> tuple[int, dict[str, str]]:
    response = client.post("/model/reload", headers=HEADERS)
    return response.status_code, response.json()


def predict(client: TestClient) -> dict[str, object]:
    return dict(client.post("/predict", json=QUERY, headers=HEADERS).json())


def test_a_promotion_is_served(live: TestClient, tree: Path, model: DemandModel) -> None:
    before = predict(live)
    assert str(before["model_version"]).startswith("candidate-")
    put_model(tree, model, VERSION)
    assert reload(live) == (200, {"result": "loaded", "model_version": VERSION})
    assert predict(live) == before | {"model_version": VERSION}
    facts = live.get("/model", headers=HEADERS).json()
    assert (facts["role"], facts["sha256"], facts["metrics"]["mape"]) == ("champion", pointer(tree)["sha256"], 12.5)
    assert reload(live)[1]["result"] == "unchanged"
    metrics = live.get("/metrics").text
    assert 'model_reload_count{result="loaded"} 2.0' in metrics
    assert f'version="{VERSION}"' in metrics
    assert "model_backtest_mape_percent 12.5" in metrics
    assert "model_reload_ok 1.0" in metrics


def test_new_sales_move_the_origin(live: TestClient, tree: Path, panel: Panel) -> None:
    sales, recorded, status = panel.sales.copy(), panel.recorded.copy(), panel.status.copy()
    sales[:, DAYS], recorded[:, DAYS], status[:, DAYS] = 9, 9, 0
    put_data(tree, replace(panel, sales=sales, recorded=recorded, status=status))
    assert reload(live)[1]["result"] == "loaded"
    answer = live.get("/forecast/1/1", headers=HEADERS).json()
    assert (answer["forecast_origin"], answer["date"][0]) == ("2024-02-25", "2024-02-26")


def test_what_one_process_has_computed_no_other_computes(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(tree, tmp_path / "state")
    ModelStore.of(config).refresh()

    def again(*_: object, **__: object) -> Path:
        raise AssertionError("computed again")

    monkeypatch.setattr("api.serving.model_store.compute", again)
    other = ModelStore.of(config)
    other.refresh()
    assert asyncio.run(other.follow())
    assert other.served
    shutil.copy(tree / paths.MODEL, tmp_path / "same")
    shutil.copy(tmp_path / "same", tree / paths.MODEL)
    with pytest.raises(AssertionError, match="again"):
        other.refresh()


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (Path("exploded"), "x")


def spoil(kind: str, tree: Path, model: DemandModel) -> str:
    """Break a working tree that has a champion; returns what must be said of it."""
    put_model(tree, model, VERSION)
    path = tree / pointer(tree)["model"]
    if kind == "wrong hash":
        path.write_bytes(pickle.dumps(Bomb()))
        return "not the model that was promoted"
    if kind == "cut off":
        path.write_bytes(path.read_bytes()[:-10])
        return "not the model that was promoted"
    if kind == "missing model":
        path.unlink()
        return "is missing"
    if kind == "broken pointer":
        (tree / paths.CHAMPION).write_text("{")
        return "not JSON"
    if kind == "not a champion":
        (tree / paths.CHAMPION).write_text('{"version": "1"}')
        return "no champion"
    if kind == "broken data":
        (tree / paths.FEATURES).write_bytes(b"PAR1")
        return "cannot be read"
    if kind.startswith("FIFO: "):
        places = {"pointer": tree / paths.CHAMPION, "data": tree / paths.FEATURES, "model": path}
        place = places[kind.removeprefix("FIFO: ")]
        place.unlink()
        os.mkfifo(place)
        return "cannot be read, as it is no file"
    if kind == "deep pointer":
        (tree / paths.CHAMPION).write_text("[" * 100_000)
        return "not JSON"
    if kind == "missing data":
        (tree / paths.FEATURES).unlink()
        return "is missing"
    (tree / paths.CHAMPION).write_text('{"version": null}')
    (tree / paths.MODEL).write_bytes(b"\x80no pickle")
    return "metrics/train.json is about another model"


KINDS = ["wrong hash", "cut off", "missing model", "broken pointer", "not a champion", "broken data", "missing data",
         "broken candidate", "FIFO: pointer", "FIFO: data", "FIFO: model", "deep pointer"]


def test_whatever_goes_wrong_the_old_model_serves(live: TestClient, tree: Path, model: DemandModel, tmp_path: Path) -> None:
    before = predict(live)
    whole = shutil.copytree(tree, tmp_path / "whole")
    for failures, kind in enumerate(KINDS, 1):
        said = spoil(kind, tree, model)
        status, answer = reload(live)
        assert status == 409, kind
        assert said in str(answer["detail"]), kind
        assert predict(live) == before
        ready = live.get("/ready")
        assert (ready.status_code, ready.json()["last_reload"]["result"]) == (200, "failed")
        assert said in ready.json()["last_reload"]["message"]
        metrics = live.get("/metrics").text
        assert f'model_reload_count{{result="failed"}} {failures}.0' in metrics
        assert "model_reload_ok 0.0" in metrics
        assert not list(tmp_path.rglob("exploded"))
        shutil.rmtree(tree)
        shutil.copytree(whole, tree)
    assert reload(live)[0] == 200
    assert "model_reload_ok 1.0" in live.get("/metrics").text


def test_without_any_model_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / paths.CHAMPION).write_text('{"version": null}')
    with TestClient(create_app(settings(tmp_path, tmp_path / "state"))) as client:
        started(client)
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        answer = client.post("/predict", json=QUERY)
        assert answer.status_code == 503
        assert "data/processed/feature_data.parquet is missing" in answer.json()["detail"]
        assert "model_ready 0.0" in client.get("/metrics").text


def test_a_hundred_swaps_under_load(live: TestClient, tree: Path, model: DemandModel) -> None:
    """Two versions whose forecasts differ; every answer is whole and of one of them."""
    store = live.app.state.services.store  # type: ignore[attr-defined]
    first = store.current_build()
    put_model(tree, model, VERSION)
    data = tree / paths.FEATURES
    data.write_bytes(data.read_bytes())
    reload(live)
    second = store.current_build()
    assert first != second
    doubled = store.state / "builds" / second / "values.npy"
    values = np.load(doubled)
    doubled.unlink()
    np.save(doubled, values * 2)
    per_version = {}
    series = {"store": [1, 2] * 50, "item": [1, 2] * 50, "date": ["2024-02-25", "2024-03-01"] * 50}

    async def ask(client: httpx.AsyncClient, stop: asyncio.Event, seen: list[tuple[str, str]]) -> None:
        while not stop.is_set():
            await asyncio.sleep(0)  # in this process nothing else makes a request wait
            one = await client.post("/predict", json=QUERY, headers=HEADERS)
            many = await client.post("/predict/batch", json=series, headers=HEADERS)
            assert one.status_code == many.status_code == 200
            seen.append((one.json()["model_version"], f"one {one.json()['predicted_sales']}"))
            seen.append((many.json()["model_version"], f"many {many.json()['predicted_sales']}"))

    async def swaps() -> list[tuple[str, str]]:
        transport = httpx.ASGITransport(app=live.app)
        stop, seen = asyncio.Event(), []  # type: asyncio.Event, list[tuple[str, str]]
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            (store.state / CURRENT).write_text(first)  # the second is mapped as it was before it was doubled
            await store.follow()
            tasks = [asyncio.create_task(ask(client, stop, seen)) for _ in range(4)]
            for n in range(1, 101):
                (store.state / CURRENT).write_text((first, second)[n % 2])
                await store.follow()
                assert store.mapped == (first, second)[n % 2]
            stop.set()
            await asyncio.gather(*tasks)
        return seen

    for version, answer in asyncio.run(swaps()):
        per_version.setdefault((version, answer.split()[0]), set()).add(answer)
    assert len(per_version) == 4
    assert all(len(answers) == 1 for answers in per_version.values())
    assert len({answer for answers in per_version.values() for answer in answers}) == 4
