"""What if recent sales had been other: they move the forecast their way, and zeros mean what they mean to the pipeline."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.serving.whatif import WhatIf
from demand.backtest.evaluation_record import evaluation_record
from demand.cleaning.clean_panel import clean
from demand.cleaning.prepare_params import DEFAULTS, PrepareParams
from demand.ingest.records import Records
from demand.model.base.off_sale import store_trades
from demand.model.demand_model import DemandModel
from demand.panel.panel import FILLED, Panel
from demand.schema.json_record import sha256
from tests.api.conftest import SETTINGS, pointer, put_data, put_model, started
from tests.api.conftest import settings as settings_of
from tests.support.examples import PARAMS
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from workspace.run import paths
from workspace.run.files import write_json

HORIZON = 28
RULES = PrepareParams.model_validate(PARAMS["prepare"])


def test_an_unscored_model_is_marked_and_its_missing_scores_stop_nothing(tmp_path: Path) -> None:
    """Fifty days old, with the nulls that evaluate writes then: as candidate, and as champion."""
    whole = ready(panel(noisy(shaped(4, 50))), HORIZON)
    model = DemandModel.fit(whole, SETTINGS, HORIZON)
    for version, state in ((None, "candidate"), ("20260102T030405Z", "champion")):
        tree = tmp_path / state
        put_data(tree, whole)
        put_model(tree, model, version)
        scores = evaluation_record([], whole, {})
        write_json(tree / paths.EVALUATE_METRICS, scores | {"model_sha256": sha256((tree / paths.MODEL).read_bytes())
                                                            if version is None else "0" * 64})
        if version:
            write_json(tree / paths.CHAMPION, pointer(tree) | {"baseline": scores})
        with TestClient(create_app(settings_of(tree, tmp_path / f"state-{state}"))) as client:
            facts = started(client).get("/model").json()
            exposed = client.get("/metrics").text
        assert (facts["role"], facts["scored"], facts["metrics"]["smape"], facts["metrics"]["origins"]) == (state, False, None, 0)
        assert "model_ready 1.0" in exposed
        assert "model_backtest_mape_percent" not in exposed


def whatif_of(whole: Panel, model: DemandModel) -> WhatIf:
    origin = whole.column(whole.last_day)
    ahead = whole.extended(HORIZON)
    return WhatIf(model, model.pool_at(ahead, whole.last_day), ahead.store, ahead.item, ahead.dates, origin, ahead.known_names,
                  ahead.sales, ahead.status, ahead.known, model.closing_at(ahead, ahead.dates[origin], HORIZON),
                  store_trades(ahead))


@cache
def served(days: int, kind: str, seed: int = 0) -> WhatIf:
    whole = ready(panel(noisy(shaped(6, days, seed=seed), seed)), HORIZON)
    return whatif_of(whole, DemandModel.fit(whole, TRAIN.model_copy(update={"base": kind, "rows": 2000}), HORIZON))


@settings(max_examples=60, deadline=None)
@given(days=st.sampled_from([5, 30, 60, 120, 200, 300, 420, 800]), kind=st.sampled_from(["structural", "level"]),
       row=st.integers(0, 5), length=st.sampled_from([1, 7, 28, 112, 364]), factor=st.sampled_from([1.5, 2.0, 4.0]))
def test_higher_recent_sales_raise_every_day_of_the_forecast_and_lower_ones_lower_it(
        days: int, kind: str, row: int, length: int, factor: float) -> None:
    whatif = served(days, kind)
    past = whatif.sales[row, max(whatif.origin + 1 - length, 0):whatif.origin + 1]
    if not past.sum():
        return
    before, higher, lower = (whatif.forecast(row, (past * by).tolist(), {})[:, 0] for by in (1, factor, 1 / factor))
    assert (higher > before).all()
    assert (lower < before).all()


@pytest.mark.parametrize("kind", ["structural", "level"])
@pytest.mark.parametrize("days", [120, 200, 420])
def test_twice_the_sales_of_112_days_are_felt(days: int, kind: str) -> None:
    """Of a short history they were taken for chance: nothing changed, or the forecast fell."""
    whatif = served(days, kind)
    past = whatif.sales[2, whatif.origin + 1 - 112:whatif.origin + 1]
    before, twice = (whatif.forecast(2, (past * by).tolist(), {})[:, 0].sum() for by in (1, 2))
    assert twice / before >= 1.99 - (min(days, 364) - 112) / min(days, 364) - 0.1


def test_own_history_sent_back_changes_nothing_filled_days_included() -> None:
    whole = ready(panel(noisy(shaped(6, 300))), HORIZON)
    whole.status[2, 240:280:3] = FILLED
    whole.sales[2, 240:280:3] *= 3
    whatif = whatif_of(whole, DemandModel.fit(whole, TRAIN, HORIZON))
    planned = whatif.forecast(2, [], {})
    np.testing.assert_array_equal(whatif.forecast(2, whole.sales[2, 200:300].tolist(), {}), planned)


@pytest.mark.parametrize("zeros", [3, 30, 112, 364])
@pytest.mark.parametrize("kind", ["structural", "level"])
def test_zeros_mean_what_they_mean_to_the_pipeline(kind: str, zeros: int) -> None:
    """Held against the model on what prepare makes of them, and the recorded forecast lowered as the own mean is."""
    days, row = 500, 2
    whole = ready(panel(noisy(shaped(6, days))), HORIZON)
    model = DemandModel.fit(whole, TRAIN.model_copy(update={"base": kind}), HORIZON)
    whatif = whatif_of(whole, model)
    sales = whole.sales[:, :days].copy()
    sales[row, days - zeros:] = 0
    every, none = np.ones(sales.shape, bool), np.empty((*sales.shape, 0), "f4")
    rows = Records(whole.store, whole.item, whole.dates[:days], sales, every, none)
    cleaned = clean(rows, days - 1, RULES)
    pooled = model.predict(ready(cleaned, HORIZON), whole.last_day, HORIZON, whatif.pool)
    answer = whatif.forecast(row, [0.0] * zeros, {})
    np.testing.assert_allclose(answer[:, 0], pooled.point[row], rtol=0.02, atol=1e-6)
    usual = whatif.forecast(row, [], {})[:, 0].sum()
    assert (answer[:, 0].sum() < 0.35 * usual) == (zeros >= 28)  # off sale: it may come back


def test_the_server_judges_zeros_by_the_default_of_params_yaml() -> None:
    assert DEFAULTS == RULES
