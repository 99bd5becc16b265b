"""How the API answers bad input: in FastAPI's form, never with a 5xx."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from api.app import create_app
from api.documentation import SWAGGER
from api.settings import Settings
from bench.serving.bodies import serving
from bench.serving.fuzz import fuzz
from tests.api.conftest import KEY, settings, started

DAY = "2024-02-25"
QUERY = {"store": 1, "item": 1, "date": DAY}


@pytest.fixture(scope="module")
def guarded(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(create_app(settings(template, tmp_path_factory.mktemp("guarded"), api_key=KEY))) as client:
        yield started(client)


@pytest.mark.parametrize(("change", "status", "said"), [
    ({"store": 99}, 404, "store 99"),
    ({"item": "no such"}, 404, "no such"),
    ({"store": 10**400}, 404, "huge"),
    ({"date": "2024-02-24"}, 422, "2024-02-25 to 2024-03-09"),
    ({"date": "2024-03-10"}, 422, "2024-02-25 to 2024-03-09"),
    ({"date": "2024-02-30"}, 422, "no date"),
    ({"date": "25.2.2024"}, 422, "pattern"),
    ({"date": 0}, 422, "string"),
    ({"date": None}, 422, "string"),
    ({"store": True}, 422, "integer"),
    ({"store": 1.5}, 422, "integer"),
    ({"store": float("nan")}, 422, "integer"),
    ({"unknown": 1}, 422, "not permitted"),
    ({"known_future": {"price": 1}}, 422, "it has promo"),
    ({"known_future": {"promo": float("inf")}}, 422, "finite"),
    ({"recent_sales": [-1]}, 422, "greater than or equal"),
    ({"recent_sales": ["x"]}, 422, "number"),
    ({"recent_sales": [1] * 4000}, 422, "3660"),
    ({"\ud800": 1}, 422, "hex escape"),
    ({"recent_sales": [True]}, 422, "valid number"),
    ({"recent_sales": ["5"]}, 422, "valid number"),
    ({"known_future": {"promo": True}}, 422, "valid number"),
])
def test_a_wrong_query_says_what_is_wrong(client: TestClient, change: dict[str, Any], status: int, said: str) -> None:
    response = client.post("/predict", content=json.dumps(QUERY | change), headers={"content-type": "application/json"})
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    if status == 422:
        assert all(set(problem) == {"type", "loc", "msg"} for problem in detail)
        assert any(said in problem["msg"] for problem in detail), detail
    else:
        assert said in detail


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b"1e999", b'"text"',
                                  b'{"store": ' + b"9" * 5000 + b"}"])
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/forecast/1/1", "/orders"])
def test_what_is_not_even_a_query(client: TestClient, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500, response.text
    assert "detail" in response.json()


def test_a_wrong_row_of_a_batch_is_named(client: TestClient) -> None:
    def ask(**changes: Any) -> Any:
        return client.post("/predict/batch", json={"store": [1, 1, 9], "item": [1, 2, 3], "date": [DAY] * 3} | changes)

    assert "store 9, item 3 (rows 2, counted" in ask().json()["detail"]
    assert ask().status_code == 404
    late = ask(store=[1, 1, 1], date=[DAY, "2030-01-01", DAY])
    assert (late.status_code, late.json()["detail"][0]["loc"]) == (422, ["body", "date", 1])
    assert "differ in length" in ask(store=[1]).json()["detail"][0]["msg"]
    wrong = client.post("/predict/batch", json={"rows": [QUERY, QUERY | {"date": 5}]})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "rows", 1, "date"])
    assert client.post("/predict/batch", json=[]).json()["rows"] == []


def test_too_much_is_413(client: TestClient) -> None:
    many = {"store": [1] * 1001, "item": [1] * 1001, "date": [DAY] * 1001}
    assert client.post("/predict/batch", json=many).status_code == 413
    assert client.post("/predict/batch", json=many).json()["detail"] == "1,001 rows are more than the 1,000 of one batch"
    assert client.post("/predict", content=b" " * 200_001, headers={"content-type": "application/json"}).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield from [b" " * 1000] * 300

    assert client.post("/predict/batch", content=pieces()).status_code == 413


@pytest.mark.parametrize(("path", "status"), [
    ("/forecast/9/1", 404), ("/forecast/1/x", 404), ("/forecast/1/1?horizon=15", 422), ("/forecast/1/1?horizon=0", 422),
    ("/forecast/1/1?history=-1", 422), ("/nowhere", 404), ("/forecast/%F0%9F/1", 404),
])
def test_a_wrong_address(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status
    assert "detail" in client.get(path).json()


def test_the_key_is_asked_for(guarded: TestClient) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": ""}, {b"x-api-key": b"\xff\xfe"}):
        assert guarded.post("/predict", json=QUERY, headers=headers).status_code == 401  # type: ignore[arg-type]
        assert guarded.post("/model/reload", headers=headers).status_code == 401  # type: ignore[arg-type]
    assert guarded.post("/predict", json=QUERY, headers={"x-api-key": KEY}).status_code == 200
    assert guarded.post("/model/reload", headers={"x-api-key": KEY}).json()["result"] == "unchanged"
    for path in ("/", "/health", "/ready", "/metrics", "/docs"):
        assert guarded.get(path).status_code == 200


def test_the_key_is_asked_for_before_the_body_is_read(guarded: TestClient) -> None:
    assert guarded.post("/predict", content=b"{", headers={"content-type": "application/json"}).status_code == 401
    assert guarded.get("/predict").status_code == 401
    assert guarded.get("/predict", headers={"x-api-key": KEY}).status_code == 405
    text = guarded.get("/metrics").text
    assert 'error_count{route="/predict",status="401"}' in text


def test_the_docs_tell_where_the_key_is_asked_for(guarded: TestClient, client: TestClient) -> None:
    """What a request without a key is refused is what /docs shows a lock at."""
    for one in (guarded, client):
        described = one.get("/openapi.json").json()
        header = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        assert described["components"]["securitySchemes"] == {"APIKeyHeader": header}
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                refused = one.request(method, path).status_code in (401, 403)
                assert refused == (operation.get("security") == [{"APIKeyHeader": []}]), path


def test_without_a_key_there_is_no_reload(client: TestClient) -> None:
    assert client.post("/model/reload", headers={"x-api-key": ""}).status_code == 403


def test_a_blank_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="it is blank"):
        Settings(_env_file=None, api_key="  ")


def test_a_browser_gets_the_page_and_a_client_json(client: TestClient) -> None:
    page = client.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    assert not [word for word in ("http://", "https://") if word in page.text.replace("http://www.w3.org/2000/svg", "")]
    assert client.get("/", headers={"accept": "*/*"}).json()["status"] == "running"


def test_the_model_tells_of_itself(client: TestClient) -> None:
    facts = client.get("/model").json()
    assert facts["role"] == "candidate"
    assert facts["trained_through"] == facts["forecast_origin"] == "2024-02-24"
    assert len(facts["sha256"]) == 64
    assert facts["age_seconds"] >= 0


def test_the_docs_have_examples(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert all(described["components"]["schemas"][name]["examples"] for name in ("Query", "OrderQuery"))
    assert described["paths"]["/predict/batch"]["post"]["requestBody"]["content"]["application/json"]["examples"]


def test_whatever_the_docs_refer_to_is_there(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert {"Query", "WhatIfQuery", "Columns", "Row", "OrderQuery"} <= named <= set(described["components"]["schemas"])


@pytest.mark.parametrize("key", ["", KEY])
def test_every_check_of_schemathesis_on_every_operation(template: Path, key: str) -> None:
    """In short; `python -m bench.serving.fuzz` sends 20,000 cases."""
    with serving(template, key) as running:
        assert fuzz(running, cases=500, examples=15) >= 500


def test_the_fuzzer_finds_what_is_wrong(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the days of the forecast, what the document allows is refused, and that ends the run."""
    monkeypatch.setattr("bench.serving.fuzz.facts", lambda _: '{"days": ["2001-01-01"], "known_future": []}')
    with serving(template) as running, pytest.raises(SystemExit, match="date_outside_horizon"):
        fuzz(running, cases=1, examples=5)


@pytest.mark.parametrize(("path", "allowed"), [
    ("/forecast?store=1&item=1", "GET, POST"), ("/forecast/1/1", "GET, POST"), ("/predict", "POST"), ("/series", "GET")])
def test_a_wrong_method_is_told_all_that_are_right(client: TestClient, path: str, allowed: str) -> None:
    answer = client.request("DELETE", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_whole_number_may_have_a_point(client: TestClient) -> None:
    """JSON knows no difference between 1 and 1.0, and its schemas allow both."""
    plain, pointed = (client.post("/predict", content=json.dumps(QUERY | {"store": store})).json() for store in (1, 1.0))
    assert plain == pointed
    for body in ({"store": [1.0], "item": [1], "date": [DAY]}, [QUERY | {"item": 1.0}]):
        assert client.post("/predict/batch", json=body).status_code == 200
    assert len(client.post("/forecast?store=1&item=1", content='{"horizon": 2.0}').json()["date"]) == 2


def test_operations_have_the_names_of_their_functions(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    names = [operation["operationId"] for operations in paths.values() for operation in operations.values()]
    assert len(set(names)) == len(names)
    assert {"predict", "predict_batch", "forecast", "forecast_what_if", "series", "model", "reload"} <= set(names)


def test_the_docs_work_without_a_network(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "://" not in page
    assets = re.findall(r'(?:src|href)="(docs/[^"]+)"', page)
    assert len(assets) == 3
    for asset in assets:
        assert client.get(f"/{asset}").status_code == 200
    for wrong in ("/docs/README.md", "/docs/..%2Findex.html", "/docs/"):
        assert client.get(wrong, follow_redirects=False).status_code in (404, 307)
    for line in (SWAGGER / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((SWAGGER / name).read_bytes()).hexdigest() == digest
