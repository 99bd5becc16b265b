"""Two workers, as `python -m api` starts them: metrics add up, a reload reaches both."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demand.model.demand_model import DemandModel
from tests.api.conftest import KEY, put_model
from tests.support.examples import ROOT
from tests.support.ports import free_port

VERSION = "20260102T030405Z"


@pytest.fixture
def server(tree: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "API_KEY": KEY, "STATE_DIR": str(tmp_path / "state"), "POLL_SECONDS": "0",
           "PORT": str(port), "WORKERS": "2"}
    env.pop("PROMETHEUS_MULTIPROC_DIR", None)
    process = subprocess.Popen([sys.executable, "-m", "api"], cwd=tree, env=env, start_new_session=True)
    try:
        headers = {"x-api-key": KEY, "connection": "close"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            wait(lambda: len({answer(client) for _ in range(20)}) == 1 and None not in {answer(client) for _ in range(20)})
            yield client
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def answer(client: httpx.Client) -> str | None:
    """The version that whichever worker answers serves."""
    try:
        return str(client.get("/ready").raise_for_status().json()["model_version"])
    except httpx.HTTPError:
        return None


def wait(done: object) -> None:
    for _ in range(300):
        if done():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise TimeoutError


def counted(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M))


def test_two_workers_count_as_one(server: httpx.Client, tree: Path, model: DemandModel) -> None:
    before = counted(server.get("/metrics").text, "prediction_count")
    last = before
    for n in range(1, 61):
        assert server.post("/predict", json={"store": 1, "item": 1, "date": "2024-02-25"}).status_code == 200
        if n % 10 == 0:
            now = counted(server.get("/metrics").text, "prediction_count")
            assert now == before + n  # whichever worker is asked
            assert now > last
            last = now
    text = server.get("/metrics").text
    assert re.search(r'^request_count\{method="POST",route="/predict",status="200"\} 60.0$', text, re.M)
    assert counted(text, "requests_in_flight") == 1
    assert len(re.findall(r"^model_info\{", text, re.M)) == 1
    put_model(tree, model, VERSION)
    assert server.post("/model/reload").json() == {"result": "loaded", "model_version": VERSION}
    wait(lambda: {answer(server) for _ in range(20)} == {VERSION})
