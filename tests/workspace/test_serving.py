"""One rule for who serves: the forecast stage, the API and a deployment agree, whatever champion and data there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from api.precompute.build import build
from api.serving.served import Served
from automation.support import smoke_test
from demand.champion.serving_rule import who_serves
from demand.model.demand_model import DemandModel
from demand.panel.lag_features import feature_table
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from stages import forecast
from tests.support.models import VERSION, put_candidate, put_champion
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from workspace.run import paths
from workspace.run.files import write_table

HORIZON = 14


@pytest.fixture(scope="module")
def sold() -> Panel:
    return ready(panel(noisy(shaped(4, 400))), 1)


@pytest.fixture(scope="module")
def candidate(sold: Panel) -> DemandModel:
    return DemandModel.fit(sold, TRAIN, HORIZON)


@pytest.fixture(scope="module")
def older(sold: Panel) -> DemandModel:
    """Of other forecasts than the candidate's."""
    return DemandModel.fit(sold.through(sold.dates[330]), TRAIN.model_copy(update={"base": "level"}), HORIZON)


CASES = [({}, True, ""), ({"known_future": ("promo",)}, False, "was trained with data.known_future"),
         ({"trained_through": date(2030, 1, 1)}, False, "has seen days after"),
         ({"horizon": HORIZON - 1}, False, "was trained for 13 days ahead, not 14")]


@pytest.mark.parametrize(("changes", "champion_serves", "reason"), CASES)
def test_stage_api_and_deployment_agree(changes: dict, champion_serves: bool, reason: str, project: Callable[..., Path],
                                        sold: Panel, candidate: DemandModel, older: DemandModel,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    root = project({"forecast.horizon": HORIZON, "data.test_file": "test.csv"})
    (root / "test.csv").write_text("id,date,store,item\n")
    write_table(paths.FEATURES, feature_table(sold))
    put_candidate(candidate)
    champion = put_champion(older, **({"trained_through": date(2020, 12, 1)} | changes))
    expected = (older if champion_serves else candidate).predict(sold, sold.last_day, HORIZON).point

    forecast.main()
    assert pq.read_table(paths.FORECAST)["forecast"].to_numpy().reshape(expected.shape) == pytest.approx(expected)
    shown = capsys.readouterr().out
    assert (f"by {VERSION}" if champion_serves else f"by the candidate, as champion {VERSION} {reason}") in shown

    served = Served.map(build(root / "builds"))
    assert served.facts["role"] == ("champion" if champion_serves else "candidate")
    assert reason in served.facts["why"]
    assert served.table.values[:, :, 0] == pytest.approx(expected, abs=1e-5)

    if champion_serves:
        assert smoke_test.expected(champion)[0].sales == pytest.approx(expected[0, 0])
    else:
        with pytest.raises(UserError, match=f"{reason}.*: deploy data and champion that belong together"):
            smoke_test.expected(champion)


def test_without_a_candidate_that_could_stand_in_it_says_so(project: Callable[..., Path], sold: Panel,
                                                            older: DemandModel) -> None:
    root = project()
    write_table(paths.FEATURES, feature_table(sold))
    put_champion(older, trained_through=date(2020, 12, 1), known_future=("promo",))
    with pytest.raises(UserError, match=r"was trained with data.known_future.*, and there is no candidate, models/model.pkl"):
        build(root / "builds")


def test_before_the_first_promotion_the_candidate_serves() -> None:
    assert who_serves(None, np.datetime64("2021-01-01"), (), 90) == (None, "there is no champion yet")
