"""The whole stack in containers: `make test-full PARTS=Docker`. Grafana is left out, its dashboard's queries are not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.api.conftest import HORIZON, SETTINGS, put_data, put_model, tiny_panel
from tests.support.examples import ROOT
from tests.support.ports import free_port

BUILT_FROM = ("Dockerfile", ".dockerignore", "docker-compose.yml", "prometheus.yml", "requirements-api.lock",
              "requirements-sbom.lock", "api", "demand", "workspace", "monitoring")
KEY, VERSION = "stack key", "20260102T030405Z"
QUERIES = ("rate(request_count[1m])", "rate(prediction_count[1m])",
           "histogram_quantile(0.95, sum(rate(request_latency_seconds_bucket[1m])) by (le))")
MEGABYTES = 900

pytestmark = pytest.mark.needs("Docker")


def run(*command: str, **changes: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **changes)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def use_stand_ins(env: dict[str, str], images: list[str]) -> bool:
    """Give imported images the pinned names; whether there are any."""
    found = False
    for image in images:
        latest = image.rpartition(":")[0] + ":latest"
        has = [subprocess.run(["docker", "image", "inspect", name], env=env, capture_output=True, check=False).returncode == 0
               for name in (image, latest)]
        if has == [False, True]:
            run("docker", "tag", latest, image, env=env)
        found |= has[1]
    return found


@dataclass
class Stack:
    tree: Path
    api: httpx.Client
    prometheus: httpx.Client
    alertmanager: httpx.Client

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = self.prometheus.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return [one for one in answer["data"]["result"] if one["value"][1] != "NaN"]

    def alerts(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.alertmanager.get("/api/v2/alerts").json()}


def wait(done: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < end, "not in time"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return tiny_panel()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, panel: Panel) -> Iterator[Stack]:
    env = dict(os.environ)
    tree = tmp_path_factory.mktemp("stack")
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)  # type: ignore[operator]
    put_data(tree, panel)
    put_model(tree, DemandModel.fit(panel, SETTINGS, HORIZON))
    (tree / "reports").mkdir()
    (tree / "metrics").mkdir(exist_ok=True)
    digest = hashlib.sha256((tree / "models/model.pkl").read_bytes()).hexdigest()
    (tree / "metrics/evaluate.json").write_text(json.dumps({"mape": 13.0, "model_sha256": digest}))
    (tree / "metrics/retrain_history.csv").write_text("at,action\n2026-01-02T03:04:05Z,promote\n")
    drift(tree, False)
    ports = {name: str(free_port()) for name in ("API_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")}
    services = yaml.safe_load((tree / "docker-compose.yml").read_text())["services"]
    standing_in = use_stand_ins(env, [services[name]["image"] for name in ("prometheus", "alertmanager")])
    env |= ports | {"API_KEY": KEY, "POLL_SECONDS": "1", "COMPOSE_PROJECT_NAME": "demand-stack-test",
                    "GRAFANA_PASSWORD": "not started here", "MAX_BATCH": "10"}
    if standing_in:
        env.setdefault("BUILD_NETWORK", "host")
    compose = ("docker", "compose", "--progress", "plain")
    try:
        pull = ["--pull", "never"] if standing_in else []
        run(*compose, "up", "--build", "--wait", *pull, "api", "prometheus", "alertmanager", env=env, cwd=tree)
        api, prometheus, alertmanager = (httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, headers={"x-api-key": KEY})
                                         for port in ports.values())
        wait(lambda: api.get("/ready").status_code == 200)
        yield Stack(tree, api, prometheus, alertmanager)
    finally:
        subprocess.run([*compose, "logs", "--tail", "20"], env=env, cwd=tree, check=False)
        run(*compose, "down", "--volumes", "--timeout", "5", env=env, cwd=tree)
        left = run("docker", "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project=demand-stack-test", env=env)
        assert not left


@pytest.fixture(scope="module")
def traffic(stack: Stack) -> Iterator[None]:
    """A few requests per second of every kind, some of them wrong, until the tests are over."""
    over = threading.Event()
    client = httpx.Client(base_url=stack.api.base_url, headers=stack.api.headers, timeout=20)

    def ask() -> None:
        query = {"store": 1, "item": 2, "date": "2024-02-26"}
        while not over.wait(0.2):
            client.post("/predict", json=query)
            client.post("/predict", json=query | {"known_future": {"promo": 1}})
            client.post("/predict", json=query | {"store": 99})
            client.post("/predict/batch", json=[query] * 5)
            client.get("/forecast?store=2&item=3")

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    over.set()
    thread.join()


def drift(tree: Path, found: bool) -> None:
    summary = {"champion": None, "as_of": "2024-02-24", "concept_drift_detected": found, "retrain": found, "current_mape": 12.0,
               "baseline_mape": 10.0, "data_drift_detected": False, "data_drift": {"share_of_columns": 0.25}}
    (tree / "reports/drift_summary.json").write_text(json.dumps(summary))


@pytest.mark.usefixtures("traffic")
def test_the_three_queries_return_data(stack: Stack) -> None:
    for query in QUERIES:
        wait(lambda query=query: any(float(one["value"][1]) > 0 for one in stack.query(query)))


@pytest.mark.usefixtures("traffic")
def test_every_panel_has_data(stack: Stack) -> None:
    dashboard = json.loads((ROOT / "monitoring/grafana/dashboards/demand.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            wait(lambda target=target: stack.query(target["expr"]), 30)


@pytest.mark.parametrize("command", [
    ["check", "rules", "rules/alerts.yml"], ["test", "rules", "tests/alerts_test.yml", "tests/weeks_test.yml"]])
def test_the_rules_hold(stack: Stack, command: list[str]) -> None:
    image = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["image"]
    monitoring = ("--volume", f"{stack.tree / 'monitoring'}:/monitoring:ro", "--workdir", "/monitoring")
    writable = ("--env", "TMPDIR=/prometheus")  # for the image's user
    run("docker", "run", "--rm", "--network", "none", *monitoring, *writable, "--entrypoint", "/bin/promtool", image, *command)


def test_the_rules_are_loaded(stack: Stack) -> None:
    groups = stack.prometheus.get("/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert len(rules) >= 8
    assert {one["metric"]["job"]: one["value"][1] for one in stack.query("up")} == {"api": "1", "prometheus": "1"}


def test_an_alert_fires_and_resolves(stack: Stack) -> None:
    drift(stack.tree, True)
    wait(lambda: "DriftDetected" in stack.alerts())
    drift(stack.tree, False)
    wait(lambda: "DriftDetected" not in stack.alerts(), 120)


@pytest.mark.usefixtures("traffic")
def test_a_new_champion_is_served(stack: Stack, panel: Panel) -> None:
    put_model(stack.tree, DemandModel.fit(panel, SETTINGS.model_copy(update={"seed": 1}), HORIZON), VERSION)
    wait(lambda: stack.api.post("/model/reload").json().get("model_version") == VERSION)
    assert stack.api.get("/model").json()["role"] == "champion"
    wait(lambda: [one["metric"]["version"] for one in stack.query("model_info")] == [VERSION])


def test_the_container_is_small_and_not_root(stack: Stack) -> None:
    assert stack.api.get("/health").status_code == 200
    image = json.loads(run("docker", "image", "inspect", "store-item-demand-api:latest"))[0]
    assert image["Config"]["User"] == "1000"
    assert image["Size"] <= MEGABYTES * 1e6
    row = {"store": 1, "item": 1, "date": "2024-02-26"}
    assert stack.api.post("/predict/batch", json=[row] * 11).status_code == 413  # MAX_BATCH is passed on
    print(f"image: {image['Size'] / 1e6:.0f} MB")
    built = ["docker", "run", "--rm", "--entrypoint", "python", image["Id"], "-c"]
    run(*built, "import shutil, sys; sys.exit(any(map(shutil.which, ('gcc', 'cc', 'make', 'git'))))")
    run(*built, "import os, sys; sys.exit(os.getuid() != 1000)")
