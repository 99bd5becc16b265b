"""Hostile bodies against a server in a process of its own, and what is counted of a body before it is parsed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from api import errors, limits, schemas
from api.limits import Bodies, Budget, fits_budget
from api.serving import batch_body
from bench.serving.bodies import AT_ONCE, Running, cost, paths, serving
from bench.serving.hostile import SIZES, kinds

DAY = "2024-02-25"
SIZE = 2_000_000
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-10**6, 10**6) | st.floats(allow_nan=False) | st.text('ab":,[]{}\\é\n', max_size=6),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text('ab":{}\\', max_size=4), inner, max_size=5),
    max_leaves=30)


@pytest.fixture(scope="module")
def server(template: Path) -> Iterator[Running]:
    with serving(template) as running:
        yield running


@pytest.mark.parametrize(("route", "name"), [(route, name) for route in SIZES for name in kinds(route)])
def test_a_hostile_body_is_refused_and_holds_nobody_up(server: Running, route: str, name: str) -> None:
    """The limits are 1 s, 300 MB and 100 ms; bench.serving.bodies holds full-size bodies to them. Here with a wide margin."""
    spent = cost(server, paths(server)[route], kinds(route)[name](min(SIZE, SIZES[route])), rounds=1)
    assert set(spent.statuses) <= {200, 404, 413, 422}, spent
    assert spent.seconds < 10, spent
    assert spent.megabytes < 150, spent
    assert spent.health < 1000, spent


def test_many_at_once_are_served_or_told_to_come_back(server: Running) -> None:
    spent = cost(server, "/predict/batch", kinds("batch")["a huge text beyond ASCII"](SIZES["batch"]), AT_ONCE, 1)
    assert set(spent.statuses) <= {413, 422, 503}, spent
    assert spent.megabytes < 400, spent
    assert server.ask("/predict/batch", b"[]")[0] == 200


def test_a_query_needs_no_16_megabytes(server: Running) -> None:
    for route in ("query", "series"):
        status, content = server.ask(paths(server)[route], b'{"store": 1}' + b" " * SIZES[route])
        assert status == 200 or b"larger than" not in content
        status, content = server.ask(paths(server)[route], b" " * (SIZES[route] + 2000))
        assert (status, b"larger than" in content) == (413, True)


def tokens(value: object) -> tuple[int, int, int]:
    """Commas, colons and opening brackets of a value as JSON, outside of its strings."""
    if isinstance(value, list):
        inner = [tokens(each) for each in value]
        own = (max(len(value) - 1, 0), 0, 1)
    elif isinstance(value, dict):
        inner = [tokens(each) for each in value.values()]
        own = (max(len(value) - 1, 0), len(value), 1)
    else:
        return 0, 0, 0
    return tuple(map(sum, zip(own, *inner, strict=True)))  # type: ignore[return-value]


@settings(deadline=None)
@given(VALUES, st.integers(1, 40))
def test_a_body_fits_a_budget_of_what_it_has_and_none_below(value: object, chunk: int) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    need = tokens(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "CHUNK", chunk)
        assert fits_budget(body, Budget(*need, 1000))
        for k in range(3):
            if need[k] and len(body) > need[k] - 1:
                less = [10**9] * 3
                less[k] = need[k] - 1
                assert not limits.fits_without_strings(limits.outside_strings(chunks(body, chunk)), Budget(*less, 1000))


def chunks(body: bytes, size: int) -> list[np.ndarray]:
    return [np.frombuffer(body[at:at + size], "u1") for at in range(0, len(body), size)]


@pytest.mark.parametrize(("body", "fit"), [
    (b'{"a":1,"b":2,"c":3}', True), (b'{"a":1,"b":2,"c":3,"d":4}', False), (b'[' + b'{"a":1,"b":2},' * 9 + b"{}]", True),
    (b'{"a":{},"b":{},"c":{},"d":{}}', True), (b'{"a":{},"b":{},"c":{},"d":{},"e":{}}', False),
])
def test_an_object_with_many_keys(body: bytes, fit: bool) -> None:
    assert fits_budget(body + b" " * 1000, Budget(1000, 1000, 1000, keys=3)) == fit


ID = st.integers(-5, 5) | st.text(max_size=3) | st.none() | st.booleans() | st.floats(0, 2) | st.just("x" * 201) | st.just([1])
DATE = st.sampled_from([DAY, "25.2.2024", "", 1, None, True, [DAY], f"{DAY}\n", "٢٠٢٤-٠٢-٢٥"])
ROW = st.fixed_dictionaries({"store": st.just(1) | ID, "item": st.just("1") | ID, "date": st.just(DAY) | DATE})
ROWS = st.lists(ROW | st.dictionaries(st.sampled_from(["store", "item", "date", "day"]), st.just(1)) | st.none() | st.just("abc"),
                max_size=6)


def refused(body: object, most: int = 100) -> list[dict[str, object]]:
    try:
        batch_body.parse(json.dumps(body).encode(), most)
    except RequestValidationError as error:
        return list(error.errors())
    return []


@settings(deadline=None, max_examples=300)
@given(ROWS)
def test_rows_are_refused_as_pydantic_would(rows: list[object]) -> None:
    for model, body in ((list[schemas.Row], rows), (schemas.Rows, {"rows": rows})):
        assert refused(body) == by_pydantic(model, body)[:errors.SHOWN]


@settings(deadline=None, max_examples=300)
@given(st.lists(ROW, max_size=5), st.sampled_from(["", "store", "item", "date"]), st.booleans())
def test_columns_are_refused_as_pydantic_would(rows: list[dict[str, object]], left_out: str, extra: bool) -> None:
    body = {name: [row[name] for row in rows] for name in ("store", "item", "date") if name != left_out}
    body |= {"day": [1]} if extra else {}
    ours, theirs = refused(body), by_pydantic(schemas.Columns, body)
    if left_out or extra:  # then no value is looked at
        theirs = [each for each in theirs if len(each["loc"]) == 2]  # type: ignore[arg-type]
    assert ours == theirs[:errors.SHOWN]


def by_pydantic(model: object, body: object) -> list[dict[str, object]]:
    """The independent oracle: all errors of the model that the docs show."""
    try:
        TypeAdapter(model).validate_python(body)
    except ValidationError as error:
        return [{"type": each["type"], "loc": ("body", *each["loc"]), "msg": each["msg"]} for each in error.errors()]
    return []


def test_the_form_of_a_batch_is_told_by_parsing(client: TestClient) -> None:
    """A store may be called rows, and the object's names may come after a long space."""
    answer = client.post("/predict/batch", json={"store": ["rows"], "item": [1], "date": [DAY]})
    assert (answer.status_code, "store rows" in answer.json()["detail"]) == (404, True)
    row = {"store": 1, "item": 1, "date": DAY}
    for body in (json.dumps({"rows": [row]}), " " * 300 + '{"\\u0072ows": [' + json.dumps(row) + "]}"):
        assert len(client.post("/predict/batch", content=body).json()["rows"]) == 1


def test_only_the_first_errors_are_shown_and_none_repeats_the_input(client: TestClient) -> None:
    for body in ([{"x" * 300: 1}] * 500, {"rows": [None] * 500}, {"store": [None] * 500, "item": [1] * 500, "date": [1] * 500}):
        answer = client.post("/predict/batch", json=body)
        assert (answer.status_code, len(answer.json()["detail"])) == (422, errors.SHOWN)
        assert len(answer.content) < 300 * errors.SHOWN


def request(body: bytes, arrives: bool = True) -> Request:
    async def receive() -> dict[str, object]:
        if not arrives:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "headers": [(b"content-length", str(len(body)).encode())]}, receive)


def test_few_large_bodies_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        held = Bodies(50_000)
        large = b" " * 50_000
        async with held.read(request(large)) as one, held.read(request(large)):
            assert one == large
            with pytest.raises(HTTPException) as refusal:
                async with held.read(request(large)):
                    pass
            assert (refusal.value.status_code, refusal.value.headers) == (503, {"Retry-After": "1"})
            async with held.read(request(b"small")) as small:
                assert small == b"small"
        monkeypatch.setattr(limits, "READ_SECONDS", 0.01)
        with pytest.raises(HTTPException) as refusal:
            async with held.read(request(large, arrives=False)):
                pass
        assert refusal.value.status_code == 408
        assert held.free == limits.HELD * 50_000

    asyncio.run(go())
