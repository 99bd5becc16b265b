"""GET /explain: its factors multiply to what the forecast stage says of the same days and series."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.precompute.build import build
from api.routes import explain as route
from api.serving import explanations, whatif
from api.serving.served import Served
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import ABSENT, Panel
from demand.panel.store_events import Event, StoreEvents
from tests.api.conftest import DAYS, HORIZON, ITEMS, SETTINGS, STORES, put_data, put_model, settings, started, tiny_panel

FIRST = np.datetime64("2024-02-25")


def ask(client: TestClient, **query: Any) -> dict[str, Any]:
    response = client.get("/explain", params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize("days", [(0, 0), (3, 3), (2, 9), (0, HORIZON - 1)])
@pytest.mark.parametrize("group", [{"store": 1, "item": 2}, {"store": 2, "item": 1}, {"store": 2}, {"item": 3}, {}])
def test_the_factors_multiply_to_the_forecast_of_any_sum(client: TestClient, panel: Panel, made: Forecast, group: dict[str, int],
                                                         days: tuple[int, int]) -> None:
    answer = ask(client, **group, start=str(FIRST + days[0]), end=str(FIRST + days[1]))
    rows = np.ones(panel.n_series, bool)
    for name, value in group.items():
        rows &= getattr(panel, name) == value
    expected = made.point[rows, days[0]:days[1] + 1]
    assert (answer["series"], answer["days"]) == expected.shape
    assert answer["forecast"] == pytest.approx(float(expected.sum(dtype="f8")), rel=1e-6, abs=0)
    assert prod(answer["factors"].values()) == pytest.approx(answer["forecast"], rel=1e-7, abs=0)
    assert {name: answer[name] for name in ("store", "item")} == {"store": None, "item": None} | group
    assert list(answer["factors"])[:5] == ["level", "growth", "weekday", "month", "covariate:promo"]
    assert list(answer["factors"])[-3:] == ["direct_member", "on_sale", "open"]


def test_all_days_where_none_are_named_and_the_last_ones_where_only_the_first_is(client: TestClient) -> None:
    whole, rest = ask(client, store=1), ask(client, store=1, start=str(FIRST + 5))
    assert (whole["start"], whole["end"], whole["days"]) == (str(FIRST), str(FIRST + HORIZON - 1), HORIZON)
    assert (rest["start"], rest["end"], rest["days"]) == (str(FIRST + 5), str(FIRST + HORIZON - 1), HORIZON - 5)
    assert whole["forecast_origin"] == "2024-02-24"
    assert whole["model_version"].startswith("candidate-")


def test_a_closed_day_says_which_factor_is_zero(client: TestClient, made: Forecast) -> None:
    day = int(np.flatnonzero(made.point[3] == 0)[0])
    answer = ask(client, store=2, item=1, start=str(FIRST + day), end=str(FIRST + day))
    assert answer["forecast"] == 0
    assert [name for name, factor in answer["factors"].items() if factor == 0] == ["open"]


@pytest.mark.parametrize(("query", "status", "said"), [
    ({"store": "9"}, 404, "no series for store 9"), ({"item": "x"}, 404, "no series for item x"),
    ({"store": "1", "item": "9"}, 404, "no series for item 9"),
    ({"store": "9" * 5000}, 422, "at most 200"), ({"store": ""}, 422, "at least 1"),
    ({"start": "2024-02-24"}, 422, "2024-02-25 to 2024-03-09"), ({"end": "2024-03-10"}, 422, "2024-02-25 to 2024-03-09"),
    ({"end": "2024-02-30"}, 422, "no date"), ({"start": "25.2.2024"}, 422, "pattern"),
    ({"start": "2024-03-02", "end": "2024-03-01"}, 422, "2024-03-01 is before 2024-03-02"),
])
def test_what_cannot_be_explained(client: TestClient, query: dict[str, str], status: int, said: str) -> None:
    response = client.get("/explain", params=query)
    assert response.status_code == status
    detail = response.json()["detail"]
    assert said in (detail if status == 404 else detail[0]["msg"])


@pytest.mark.parametrize(("limit", "most"), [("MOST_SERIES", 2), ("MOST_ROWS", 41)])
def test_too_much_at_once_is_refused_with_the_limits(client: TestClient, limit: str, most: int, monkeypatch: pytest.MonkeyPatch,
                                                     ) -> None:
    monkeypatch.setattr(explanations, limit, most)
    assert client.get("/explain", params={"store": 1, "item": 1}).status_code == 200
    response = client.get("/explain", params={"store": 1})
    assert response.status_code == 413
    assert response.json()["detail"].startswith("3 series × 14 days are more than")


@pytest.mark.parametrize("rows", [0, 10_000])
def test_the_answer_does_not_depend_on_how_many_series_are_in_memory(client: TestClient, rows: int,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the contributions are exact does not, either: that depends on the rows of the whole answer."""
    monkeypatch.setattr(whatif, "EXACT_ROWS", rows)
    answers = []
    for part in (1, 4, 50):
        monkeypatch.setattr(whatif, "PART", part)
        answers.append(ask(client))
    assert answers[0] == answers[1] == answers[2]


def test_one_is_computed_at_a_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = [], []

    def slow(*_: object) -> bytes:
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        return b"{}"

    monkeypatch.setattr(route, "explanation", slow)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.get("/explain").status_code, range(4)))
    assert (answers, most) == ([200] * 4, [1] * 4)


def test_any_ids(opaque: Path, tmp_path: Path) -> None:
    with TestClient(create_app(settings(opaque, tmp_path))) as client:
        started(client)
        answer = ask(client, store=STORES[1], item=ITEMS[0])
        assert (answer["store"], answer["item"], answer["series"]) == (STORES[1], ITEMS[0], 1)
        assert ask(client, item=ITEMS[1])["series"] == 2
        assert client.get("/explain", params={"item": "7"}).status_code == 404


@pytest.mark.parametrize("known", [(), ("promo",), ("open",)])
def test_groups_whose_series_ended_early_are_closed_or_have_events(known: tuple[str, ...], tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the forecasts of all series together, which know what one series cannot."""
    panel = tiny_panel(1, known)
    panel.sales[2, DAYS - 9:DAYS], panel.status[2, DAYS - 9:DAYS] = np.nan, ABSENT
    if known == ("open",):
        panel.known[:] = np.arange(panel.known.shape[1])[None, :, None] % 7 != 3
    fair = tuple(Event("Fair", day, day, 1, 1) for day in (date(2023, 4, 3), date(2023, 10, 4), date(2024, 2, 27)))
    panel = replace(panel, events=StoreEvents({1: fair}))
    put_data(tmp_path, panel)
    put_model(tmp_path, DemandModel.fit(panel, SETTINGS, HORIZON))
    monkeypatch.chdir(tmp_path)
    served = Served.map(build(tmp_path / "builds"))
    for rows in ([0], [2], [3, 5], [0, 1, 2, 3, 4, 5]):
        made = served.whatif.explain(np.array(rows), 1, HORIZON)
        np.testing.assert_allclose(made.forecast, served.table.values[rows, :, 0], rtol=1e-6, atol=5.1e-7)
        assert "event:Fair" in made.factors


def test_the_example_of_the_docs_is_an_answer(client: TestClient) -> None:
    route.Explanation.model_validate(route.EXAMPLE)
    factors = route.EXAMPLE["factors"]
    assert isinstance(factors, dict)
    assert prod(float(str(factor)) for factor in factors.values()) == pytest.approx(route.EXAMPLE["forecast"], rel=1e-6)
    route.Explanation.model_validate(ask(client, store=1))
    described = client.get("/openapi.json").json()
    assert described["components"]["schemas"]["Explanation"]["examples"] == [route.EXAMPLE]
    names = [each["name"] for each in described["paths"]["/explain"]["get"]["parameters"]]
    assert names == ["store", "item", "start", "end"]
