"""What the API forecasts, held against the forecast stage and the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.serving.lookup_table import COLUMNS, LookupTable
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import ABSENT, CLOSED, Panel
from demand.planning.forecast_table import forecast_next_days
from tests.api.conftest import DAYS, HORIZON, put_data, put_model, tiny_panel

FIRST = "2024-02-25"


def expected(made: Forecast) -> np.ndarray:
    return np.stack([made.point, made.low[80], made.high[80], made.low[95], made.high[95]], axis=2)


def rows(panel: Panel) -> list[dict[str, object]]:
    days = (np.datetime64(FIRST) + np.arange(HORIZON)).astype(str).tolist()
    series = zip(panel.store.tolist(), panel.item.tolist(), strict=True)
    return [{"store": s, "item": i, "date": d} for s, i in series for d in days]


def test_every_series_and_day_is_what_the_forecast_stage_says(client: TestClient, panel: Panel, made: Forecast) -> None:
    asked = rows(panel)
    by_column = {name: [row[name] for row in asked] for name in ("store", "item", "date")}
    columns = client.post("/predict/batch", json=by_column).json()
    for k, name in enumerate(COLUMNS):
        np.testing.assert_allclose(columns[name], expected(made)[:, :, k].ravel(), rtol=0, atol=5.1e-7)  # of 6 decimals
    by_rows = client.post("/predict/batch", json={"rows": asked}).json()["rows"]
    assert by_rows == client.post("/predict/batch", json=asked).json()["rows"]
    assert [{name: row[name] for name in ("store", "item", "date")} for row in by_rows] == asked
    for name in COLUMNS:
        assert [row[name] for row in by_rows] == columns[name]
    for row in by_rows[::17]:
        one = client.post("/predict", json={name: row[name] for name in ("store", "item", "date")}).json()
        assert {name: one[name] for name in row} == row
        assert one["forecast_origin"] == "2024-02-24"
        assert one["model_version"].startswith("candidate-")


def test_a_series_has_its_history_and_its_forecast(client: TestClient, panel: Panel, made: Forecast) -> None:
    answer = client.get("/forecast/2/2", params={"horizon": 5, "history": 3}).json()
    np.testing.assert_allclose(answer["predicted_sales"], made.point[4, :5], rtol=1e-6)
    np.testing.assert_allclose(answer["history"]["sales"], panel.sales[4, DAYS - 3:DAYS])
    assert answer["date"][0] == FIRST
    assert answer["history"]["date"] == ["2024-02-22", "2024-02-23", "2024-02-24"]
    assert len(client.get("/forecast/2/2").json()["date"]) == HORIZON


def test_nothing_else_than_recorded_is_the_recorded_forecast(client: TestClient, panel: Panel, made: Forecast) -> None:
    for row in range(panel.n_series):
        path = f"/forecast/{panel.store[row]}/{panel.item[row]}"
        recent = panel.sales[row, DAYS - 30:DAYS].tolist()
        planned = client.get(path).json()["known_future"]["promo"]
        same = {"recent_sales": recent, "known_future": {"promo": {FIRST: planned[0]}}}
        answer = client.post(path, json=same).json()
        assert answer["what_if"]
        got = np.stack([answer[name] for name in COLUMNS], axis=1)
        np.testing.assert_allclose(got, expected(made)[row], rtol=1e-5, atol=1e-5)


def test_what_if_is_the_model_on_other_data(client: TestClient, panel: Panel, model: DemandModel) -> None:
    known = panel.known.copy()
    known[1, DAYS + 3] = 1 - known[1, DAYS + 3]
    sales = panel.sales.copy()
    sales[1, DAYS - 5:DAYS] *= 3
    other = forecast_next_days(replace(panel, known=known, sales=sales), model, HORIZON)
    pooled = model.predict(replace(panel, known=known, sales=sales), panel.last_day, HORIZON,
                           model.pool_at(panel.extended(HORIZON), panel.last_day))
    day = str(np.datetime64(FIRST) + 3)
    asked = {"recent_sales": sales[1, DAYS - 5:DAYS].tolist(), "known_future": {"promo": {day: float(known[1, DAYS + 3, 0])}}}
    answer = client.post("/forecast/1/2", json=asked).json()
    np.testing.assert_allclose(answer["predicted_sales"], pooled.point[1], rtol=1e-5)
    np.testing.assert_allclose(answer["predicted_sales"], other.point[1], rtol=0.2)  # where the other series hear of it too
    one = client.post("/predict", json={"store": 1, "item": 2, "date": day, "recent_sales": asked["recent_sales"],
                                        "known_future": {"promo": float(known[1, DAYS + 3, 0])}}).json()
    assert one["what_if"]
    assert one["predicted_sales"] == pytest.approx(answer["predicted_sales"][3])


@pytest.mark.parametrize("known", [(), ("promo",), ("open",)])
def test_series_alone_and_among_others(known: tuple[str, ...], tmp_path: Path) -> None:
    """A panel of one series must forecast what the panel of all does, closed days and series that ended early included."""
    from api.precompute.build import build
    from api.serving.served import Served
    from tests.api.conftest import SETTINGS

    panel = tiny_panel(1, known)
    panel.sales[2, DAYS - 9:DAYS] = np.nan
    panel.status[2, DAYS - 9:DAYS] = ABSENT
    if known == ("open",):
        panel.known[:] = (panel.status != CLOSED)[:, :, None]
        panel.known[3:, DAYS + (1 - DAYS) % 7::7] = 0
    model = DemandModel.fit(panel, SETTINGS, HORIZON)
    put_data(tmp_path, panel)
    put_model(tmp_path, model)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        served = Served.map(build(tmp_path / "builds"))
    assert (served.table.values[:, :, 0] == 0).any()
    for row in range(panel.n_series):
        np.testing.assert_allclose(served.whatif.forecast(row, [], {}), served.table.values[row], rtol=1e-5, atol=1e-5)


def test_ids_of_the_other_kind_are_understood() -> None:
    values = np.arange(2 * 3 * 5, dtype="f4").reshape(2, 3, 5)
    numbers = LookupTable.of(values, [1, 1], [7, 8], np.datetime64("2024-01-01"))
    texts = LookupTable.of(values, ["1", "1"], ["7", "8"], np.datetime64("2024-01-01"))
    for table in (numbers, texts):
        np.testing.assert_array_equal(table.lookup("1", 8, "2024-01-02"), values[1, 0])
        np.testing.assert_array_equal(table.batch(["1", 1], [8, "7"], ["2024-01-04", "2024-01-02"]), values[[1, 0], [2, 0]])
