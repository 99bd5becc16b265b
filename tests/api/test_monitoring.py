"""What Prometheus and Grafana are given, held against what the API exposes."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from fastapi.testclient import TestClient

from tests.conftest import ROOT

DASHBOARD = ROOT / "monitoring/grafana/dashboards/demand.json"
RULES = ROOT / "monitoring/rules/alerts.yml"
ELSEWHERE = {"up"}  # Prometheus's own


def exposed(client: TestClient) -> set[str]:
    """Names that the API exposes, the pipeline's included, which need files that the tiny tree has not got."""
    source = (ROOT / "api/monitoring/telemetry.py").read_text()
    return set(re.findall(r'gauge\("(\w+)"', source)) | set(re.findall(r"^(\w+?)(?:\{| )", client.get("/metrics").text, re.M))


def names(expression: str) -> set[str]:
    """The metrics of an expression."""
    plain = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on) ?\([^)]*\)", " ", expression)
    return set(re.findall(r"\b[a-z_]{2,}\b(?!\s*\()", plain)) - {"or", "and", "vector", "by", "on"}


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


def test_every_metric_that_is_looked_at_exists(client: TestClient) -> None:
    alerts = [rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    for expression in [*expressions(), *alerts]:
        assert names(expression), expression
        assert names(expression) <= exposed(client) | ELSEWHERE, expression


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
        assert name == "api" or re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        for volume in service["volumes"]:
            host = volume.split(":")[0]
            assert not host.startswith(".") or (ROOT / host).exists() or host in ("./data/processed", "./reports"), volume


def test_every_alert_has_a_test() -> None:
    alerts = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    tests = yaml.safe_load((ROOT / "monitoring/tests/alerts_test.yml").read_text())["tests"]
    assert {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")} == alerts
