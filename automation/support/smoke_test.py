"""The test in operation: a live API serves the champion, and forecasts what the champion forecasts here."""

from __future__ import annotations

import http.client
import json
import math
import time
import urllib.error
from dataclasses import dataclass
from typing import Any

from automation.support import environment, http_client
from automation.support.hub import Live
from demand.champion.champion_record import Champion
from demand.champion.serving_rule import who_serves
from demand.planning.forecast_table import forecast_next_days
from demand.schema.errors import UserError
from workspace.registry.serving import pipeline_horizon
from workspace.registry.store import load_model
from workspace.run import paths
from workspace.run.panel_file import read_panel
from workspace.secrets.settings import load_settings

TOLERANCE = 1e-6  # relative, and in units per day
REQUEST_SECONDS = 30.0


@dataclass(frozen=True)
class Expected:
    """What `POST /predict` has to answer: units per day for a store, item and day."""

    store: int | str
    item: int | str
    date: str
    sales: float


def expected(current: Champion) -> list[Expected]:
    """The champion's forecasts of three series at three days, made here from the data that are uploaded.

    Raises:
        UserError: the model's file is not the promoted one, or it cannot forecast from these data.
    """
    panel = read_panel()
    serves, problem = who_serves(current, panel.last_day, panel.known_names, pipeline_horizon(current))
    if serves is None:
        raise UserError(f"{problem}: deploy data and champion that belong together")
    model = load_model(current)
    made = forecast_next_days(panel, model, current.horizon)
    series, days = made.point.shape
    places = ((0, 0), (series // 2, days // 2), (series - 1, days - 1))
    store, item = panel.store.tolist(), panel.item.tolist()
    return [Expected(store[row], item[row], str(made.origin + 1 + day), float(made.point[row, day])) for row, day in places]


def ask(live: Live, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer; status 0 and the reason where there is none, or none in JSON."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if live.token:
        headers["Authorization"] = f"Bearer {live.token}"
    if key := load_settings(environment.SpaceAccess).api_key:
        headers["X-API-Key"] = key.get_secret_value()  # in Latin-1, as the API reads it
    request = http_client.json_request(live.url + path, body, headers)
    try:
        try:
            with http_client.open_url(request, REQUEST_SECONDS) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, {"detail": f"no answer ({error})"}
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    return (status, parsed) if isinstance(parsed, dict) else (0, {"detail": f"status {status}, no JSON"})


def ready(live: Live, deadline: float) -> str:
    """The version that serves, once one does; `deadline` is of time.monotonic()."""
    while True:
        status, answer = ask(live, "/ready")
        if status == 200 and answer.get("status") == "ready":
            return str(answer.get("model_version"))
        if time.monotonic() >= deadline:
            reason = (answer.get("last_reload") or {}).get("message") or answer.get("detail") or answer
            raise UserError(f"{live.url}/ready is not ready in time: {reason}")
        time.sleep(min(1.0, max(deadline - time.monotonic(), 0)))


def check(live: Live, current: Champion, forecasts: list[Expected], deadline: float, grace: float = 0.0) -> None:
    """Hold what answers to what should, again and again while the revision before may still answer.

    Args:
        deadline: of time.monotonic(), for the first answer.
        grace: seconds.

    Raises:
        UserError: names what is wrong.
    """
    start = time.monotonic()
    while problem := wrong(live, current, forecasts, deadline):
        if time.monotonic() - start >= grace:
            raise UserError(f"{live.url}{problem}")
        time.sleep(1.0)


def wrong(live: Live, current: Champion, forecasts: list[Expected], deadline: float) -> str | None:
    """What is wrong with the answers, from the path on; None if nothing is."""
    version = ready(live, deadline)
    if version != current.version:
        return f" serves version {version}, not {current.version}"
    status, model = ask(live, "/model")
    if status != 200 or (model.get("model_version"), model.get("sha256")) != (current.version, current.sha256):
        return (f"/model tells of another model than {paths.CHAMPION} (status {status}, version {model.get('model_version')}, "
                f"sha256 {str(model.get('sha256'))[:12]}, {model.get('detail', 'no error')})")
    for one in forecasts:
        asked = f"store {one.store}, item {one.item}, {one.date}"
        status, answer = ask(live, "/predict", {"store": one.store, "item": one.item, "date": one.date})
        sales = answer.get("predicted_sales")
        if status != 200 or not isinstance(sales, int | float):
            return f"/predict answers {status} for {asked}: {answer.get('detail', answer)}"
        if not math.isclose(sales, one.sales, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            return f"/predict forecasts {sales} for {asked}; the champion forecasts {one.sales} here"
    return None
