"""A tiny working tree with a model in it, and the API that serves from it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from demand.champion.champion_record import Champion
from demand.model.demand_model import DemandModel, dump_model
from demand.model.trees.train_params import TrainParams
from demand.panel.forecast import Forecast
from demand.panel.lag_features import feature_table
from demand.panel.panel import CLOSED, FUTURE, OBSERVED, Panel
from demand.planning.forecast_table import forecast_next_days
from demand.schema.json_record import sha256
from tests.support.models import put_candidate
from workspace.run import paths
from workspace.run.files import write_json, write_table

HORIZON, DAYS, AHEAD = 14, 420, 20
KEY = "a key"
STORES, ITEMS = ("..", "a/b"), ("007", "50% \"off\" & more?#'<b>", "🍎 é\u200d")  # ids that are opaque, sorted
SETTINGS = TrainParams(algorithm="xgboost", base="auto", max_depth=3, n_estimators=20, learning_rate=0.3, rows=2000, seed=0)


def tiny_panel(seed: int = 0, known: tuple[str, ...] = ("promo",)) -> Panel:
    """Two stores with three items each; Mondays off, and every first of a month, in store 2 alone where nothing is planned."""
    rng = np.random.default_rng(seed)
    store, item = np.array([[s, i] for s in (1, 2) for i in (1, 2, 3)]).T
    dates = np.datetime64("2023-01-01") + np.arange(DAYS + AHEAD)
    promo = (rng.random((6, len(dates))) < 0.2).astype("f4")
    mean = np.array([5, 20, 80, 10, 40, 3])[:, None] * (1 + 0.3 * np.sin(np.arange(len(dates)) / 58)) * (1 + 0.8 * promo)
    sales = rng.poisson(mean).astype("f4")
    status = np.full(sales.shape, OBSERVED, "u1")
    rest = (np.arange(len(dates)) % 7 == 1) | (dates == dates.astype("M8[M]"))
    status[3:, rest] = CLOSED
    sales[status == CLOSED] = 0
    sales[:, DAYS:], status[:, DAYS:] = np.nan, FUTURE
    values = np.stack([promo] * len(known), axis=2) if known else np.empty((*sales.shape, 0), "f4")
    return Panel(store, item, dates, sales, sales.copy(), status, values, known)


def put_data(project: Path, panel: Panel) -> None:
    write_table(project / paths.FEATURES, feature_table(panel))


def put_model(project: Path, model: DemandModel, version: str | None = None, reason: str = "test") -> None:
    """As the candidate, or as the champion of that version."""
    content = dump_model(model)
    if version:
        path = project / paths.VERSIONS / version / "model.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    else:
        put_candidate(model, project)
        (project / paths.CHAMPION).parent.mkdir(exist_ok=True)
    pointer: dict[str, Any] = {"version": None}
    if version:
        pointer = Champion(
            version=version, model=str(path.relative_to(project)), sha256=sha256(content),
            trained_through=str(model.trained_through), train=SETTINGS.model_dump(mode="json"), horizon=HORIZON,
            known_future=tuple(model.facts["known_future"]),  # type: ignore[arg-type]
            baseline={"mape": 12.5, "smape": 11.0}, promoted_at="2026-01-02T03:04:05Z", promoted_by="test", reason=reason,
            previous=None).model_dump(mode="json")
    write_json(project / paths.CHAMPION, pointer)


@pytest.fixture(scope="session")
def panel() -> Panel:
    return tiny_panel()


@pytest.fixture(scope="session")
def model(panel: Panel) -> DemandModel:
    return DemandModel.fit(panel, SETTINGS, HORIZON)


@pytest.fixture(scope="session")
def made(panel: Panel, model: DemandModel) -> Forecast:
    """What the forecast stage says."""
    return forecast_next_days(panel, model, HORIZON)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, panel: Panel, model: DemandModel) -> Path:
    project = tmp_path_factory.mktemp("template")
    put_data(project, panel)
    put_model(project, model)
    return project


@pytest.fixture(scope="session")
def opaque(tmp_path_factory: pytest.TempPathFactory, panel: Panel) -> Path:
    """A working tree whose ids are of every kind of character."""
    named = replace(panel, store=np.array([STORES[store - 1] for store in panel.store], object),
                    item=np.array([ITEMS[item - 1] for item in panel.item], object))
    project = tmp_path_factory.mktemp("opaque")
    put_data(project, named)
    put_model(project, DemandModel.fit(named, SETTINGS, HORIZON))
    return project


@pytest.fixture
def tree(template: Path, tmp_path: Path) -> Path:
    """A working tree that a test may change."""
    return Path(shutil.copytree(template, tmp_path / "tree"))


def settings(project: Path, state: Path, **changes: Any) -> Settings:
    return Settings(_env_file=None, project_dir=project, state_dir=state, poll_seconds=0, **changes)


def started(client: TestClient) -> TestClient:
    """Waits until the first model is loaded, or could not be."""
    for _ in range(600):
        if client.get("/ready").json().get("last_reload"):
            return client
        time.sleep(0.1)
    raise TimeoutError("the API did not try to load a model")


@pytest.fixture(scope="session")
def client(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(settings(template, tmp_path_factory.mktemp("state"), max_batch=1000, max_body_bytes=200_000))
    with TestClient(app) as client:
        yield started(client)


def pointer(project: Path) -> dict[str, Any]:
    return dict(json.loads((project / paths.CHAMPION).read_text()))
