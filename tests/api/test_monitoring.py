"""What Prometheus and Grafana are given, held against what the API exposes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from api.app import create_app
from demand.model.demand_model import DemandModel
from tests.api.conftest import HORIZON, put_model, settings, started
from tests.support.examples import ROOT
from workspace.run import paths
from workspace.run.files import write_json

DASHBOARD = ROOT / "monitoring/grafana/dashboards/demand.json"
RULES = ROOT / "monitoring/rules/alerts.yml"
RULE_TESTS = sorted((ROOT / "monitoring/tests").glob("*.yml"))
VERSION, DAY = "20260102T030405Z", "2024-02-24"  # a champion, and the last day of the tiny data
ELSEWHERE = {"up"}  # Prometheus's own


@pytest.fixture(scope="module")
def exposed(template: Path, tmp_path_factory: pytest.TempPathFactory, model: DemandModel) -> set[str]:
    """Names in the exposition of an API that has answered, serves a champion, and has the pipeline's files beside it."""
    tree = Path(shutil.copytree(template, tmp_path_factory.mktemp("exposed") / "tree"))
    put_model(tree, model, VERSION)
    write_pipeline_files(tree, VERSION, DAY)
    with TestClient(create_app(settings(tree, tmp_path_factory.mktemp("exposed-state")))) as client:
        started(client).post("/predict", json={"store": 99, "item": 1, "date": "2024-02-25"})
        return samples(client).keys() | ELSEWHERE


def write_pipeline_files(tree: Path, champion: str | None, as_of: str) -> None:
    """What the drift stage and promotions write."""
    write_json(tree / paths.DRIFT_SUMMARY, {
        "champion": champion, "as_of": as_of, "retrain": False, "concept_drift_detected": False, "current_mape": 12.0,
        "baseline_mape": 10.0, "data_drift_detected": False, "data_drift": {"share_of_columns": 0.25}})
    (tree / paths.RETRAIN_HISTORY).parent.mkdir(exist_ok=True)
    (tree / paths.RETRAIN_HISTORY).write_text("at,action\n2026-01-02T03:04:05Z,promote\n")


def samples(client: TestClient) -> dict[str, float]:
    """The exposition by name, as prometheus_client reads it; labels are left out."""
    text = client.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", text, re.M)}


def names(expression: str) -> set[str]:
    """The metrics of an expression."""
    plain = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby ?\([^)]*\)", " ", expression)
    return set(re.findall(r"\b[a-z_]{2,}\b(?!\s*\()", plain)) - {"or", "and", "by"}


def dashboard() -> dict[str, Any]:
    return dict(json.loads(DASHBOARD.read_text()))


def expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def test_the_fixed_names_are_exposed_as_they_are(client: TestClient) -> None:
    client.post("/predict", json={"store": 1, "item": 1, "date": "2024-02-25"})
    client.post("/predict", json={"store": 99, "item": 1, "date": "2024-02-25"})
    client.get("/wp-login.php")
    text = client.get("/metrics").text
    assert "# TYPE request_count counter" in text
    assert 'prediction_count{kind="single"}' in text
    assert 'error_count{route="/predict",status="404"}' in text
    assert 'route="(none)"' in text
    assert 'request_latency_seconds_bucket{le="0.001",route="/predict"}' in text
    assert "_total" not in text
    assert "_created" not in text
    for label in ("store=", "item=", "wp-login"):
        assert label not in text


def test_the_counter_is_what_a_batch_asked_for(client: TestClient) -> None:
    def count() -> float:
        return float(re.search(r'prediction_count\{kind="batch"\} (\S+)', client.get("/metrics").text)[1])  # type: ignore[index]

    before = count()
    client.post("/predict/batch", json={"store": [1] * 7, "item": [1] * 7, "date": ["2024-02-25"] * 7})
    assert count() == before + 7


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_every_metric_that_is_looked_at_exists(exposed: set[str]) -> None:
    for expression in [*expressions(), *(rule["expr"] for rule in alerts())]:
        assert names(expression), expression
        assert names(expression) <= exposed, expression


def test_missing_data_never_looks_healthy() -> None:
    assert not [expression for expression in expressions() if "vector(" in expression or "absent" in expression]
    for panel in dashboard()["panels"]:
        shown = panel["fieldConfig"]["defaults"]
        assert shown["noValue"] == "no data", panel["title"]
        assert shown.get("thresholds", {"steps": [{"color": "blue"}]})["steps"][0]["color"] in ("blue", "#808080"), panel["title"]


@pytest.mark.parametrize(("champion", "as_of", "current"), [
    (VERSION, DAY, 1), (None, DAY, 0), ("20250101T000000Z", DAY, 0), (VERSION, "2024-02-20", 0), ("no summary", "", 0)])
def test_a_drift_check_is_about_a_model_and_its_sales(
        tree: Path, tmp_path: Path, model: DemandModel, champion: str | None, as_of: str, current: int) -> None:
    put_model(tree, model, VERSION)
    if champion != "no summary":
        write_pipeline_files(tree, champion, as_of)
    with TestClient(create_app(settings(tree, tmp_path / "state"))) as client:
        told = samples(started(client))
    assert told["drift_check_current"] == current
    assert told["model_backtest_mape_percent"] == 12.5
    assert ("model_mape_percent" in told) == ("model_baseline_mape_percent" in told) == (champion != "no summary")
    assert told["forecast_last_day_timestamp_seconds"] - told["forecast_origin_timestamp_seconds"] == HORIZON * 86400


def test_the_dashboard_is_what_grafana_reads() -> None:
    """Grafana's own schema: nothing is lost or changed on the way through its models."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

    register_default_plugins()
    read = Dashboard.from_json(dashboard())
    assert read.panels
    assert all(isinstance(panel, Panel) and type(panel.options).__name__ == "Options" for panel in read.panels)
    assert kept(dashboard(), json.loads(JSONEncoder().encode(read)))
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)


def kept(before: Any, after: Any) -> bool:
    """Whether all of `before` is in `after`."""
    if isinstance(before, dict):
        return all(key in after and kept(value, after[key]) for key, value in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(kept(*pair) for pair in zip(before, after, strict=True))
    return bool(before == after)


def test_the_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_provisioning_points_to_what_is_there() -> None:
    source = yaml.safe_load((ROOT / "monitoring/grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert {panel["datasource"]["uid"] for panel in dashboard()["panels"]} == {source["uid"]}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    folder = yaml.safe_load((ROOT / "monitoring/grafana/provisioning/dashboards/files.yml").read_text())["providers"][0]
    assert any(volume.split(":")[1] == folder["options"]["path"] for volume in compose["grafana"]["volumes"])
    for name, service in compose.items():
        assert service["mem_limit"], name
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "api" or re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        for volume in service["volumes"]:
            host = volume.split(":")[0]
            assert not host.startswith(".") or (ROOT / host).exists() or host in ("./data/processed", "./reports"), volume


def test_every_setting_of_the_example_reaches_the_api() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    example = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    assert example - {"GRAFANA_USER", "GRAFANA_PASSWORD", "API_MEMORY"} == set(compose["api"]["environment"])


def test_make_stack_makes_a_password_once(tmp_path: Path) -> None:
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text("#!/bin/sh\n")
    (tmp_path / "bin/docker").chmod(0o755)
    passwords = set()
    for _ in range(2):
        env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
        subprocess.run(["make", "stack"], cwd=tmp_path, env=env, check=True, capture_output=True)
        lines = (tmp_path / ".env").read_text().splitlines()
        passwords |= {line.partition("=")[2] for line in lines if line.startswith("GRAFANA_PASSWORD=")}
        assert len(lines) == len((ROOT / ".env.example").read_text().splitlines())
    assert len(passwords) == 1
    assert len(passwords.pop()) == 32
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_every_alert_has_a_test() -> None:
    tests = [test for path in RULE_TESTS for test in yaml.safe_load(path.read_text())["tests"]]
    cases = [case for test in tests for case in test.get("alert_rule_test", [])]
    fires, quiet = ({case["alertname"] for case in cases if bool(case.get("exp_alerts")) == fires} for fires in (True, False))
    assert fires == quiet == {rule["alert"] for rule in alerts()}


def test_the_docs_list_every_alert() -> None:
    section = (ROOT / "docs/serving.md").read_text().split("## Alerts")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == [rule["alert"] for rule in alerts()]
