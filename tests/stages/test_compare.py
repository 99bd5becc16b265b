"""Candidate against champion: the same configuration is no training, another is backtested, and the unseen days count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demand.backtest.fold_scores import fold_scores, means
from demand.backtest.folds import backtest, fold_of
from demand.champion.champion_record import Champion
from demand.champion.comparison import scored, unseen_days
from demand.champion.promotion_rule import ComparisonRecord
from demand.model.demand_model import DemandModel
from demand.model.trees.train_params import TrainParams
from demand.panel.lag_features import feature_table
from demand.panel.panel import Panel
from stages import compare, evaluate
from tests.support.examples import ROOT
from tests.support.models import VERSION, fit_with, put_candidate, put_champion
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from workspace.run import paths
from workspace.run.all_params import load_all_params
from workspace.run.files import write_json, write_table

DAYS, HORIZON = 560, 28
OTHER = TRAIN.model_copy(update={"max_depth": 1, "n_estimators": 2})


@pytest.fixture(scope="module")
def sold() -> Panel:
    return ready(panel(noisy(shaped(6, DAYS))), 1)


@pytest.fixture(scope="module")
def whole(sold: Panel, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """What prepare to evaluate leave behind, made once."""
    folder = tmp_path_factory.mktemp("evaluated")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_table(paths.WINDOW, feature_table(sold))
        put_candidate(DemandModel.fit(sold, TRAIN, HORIZON))
        write_json(Path("params.yaml"), json.loads(with_sections().model_dump_json()))
        evaluate.main()
        return {path: path.read_bytes() for path in (paths.WINDOW, paths.MODEL, paths.TRAIN_METRICS, paths.EVALUATE_METRICS)}


def with_sections() -> Any:
    params = load_all_params(ROOT / "params.yaml")
    forecast = params.forecast.model_copy(update={"horizon": HORIZON})
    backtest_of = params.evaluate.model_copy(update={"origins": 2, "step_days": 35})
    return params.model_copy(update={"train": TRAIN, "forecast": forecast, "evaluate": backtest_of})


@pytest.fixture
def root(project: Callable[..., Path], whole: dict[Path, bytes]) -> Path:
    """A project at the point where evaluate has just run, without a champion."""
    root = project({"train": TRAIN.model_dump(), "evaluate": {"origins": 2, "step_days": 35}, "forecast.horizon": HORIZON})
    for path, content in whole.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths.CHAMPION.write_text('{"version": null}')
    return root


def crown(sold: Panel, through: np.datetime64, train: TrainParams = TRAIN, recorded: dict[str, Any] | None = None) -> DemandModel:
    """Make a model that was trained up to that day the champion; `recorded` is what the pointer says of its settings."""
    model = DemandModel.fit(sold.through(through), train, HORIZON)
    put_champion(model, train=recorded or train.model_dump())
    return model


def compared() -> ComparisonRecord:
    compare.main()
    return ComparisonRecord.model_validate_json(paths.COMPARE_METRICS.read_text())


def no_training(*_: object) -> DemandModel:
    raise AssertionError("trained")


@pytest.mark.usefixtures("root")
def test_without_a_champion_there_is_nothing_to_compare(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(DemandModel, "fit", no_training)
    found = compared()
    evaluated = json.loads(paths.EVALUATE_METRICS.read_text())
    assert (found.champion, found.ratio, found.same_configuration) == (None, None, False)
    assert found.champion_scores == found.unseen == {}
    assert found.candidate["smape"] == evaluated["smape"]
    assert [str(day) for day in found.origins] == [fold["origin"] for fold in evaluated["per_origin"]]
    assert found.model_sha256 == evaluated["model_sha256"]


@pytest.mark.usefixtures("root")
def test_the_same_configuration_on_the_same_data_is_equal_without_training(sold: Panel, monkeypatch: pytest.MonkeyPatch):
    crown(sold, sold.last_day)
    monkeypatch.setattr(DemandModel, "fit", no_training)
    found = compared()
    assert (found.champion, found.ratio, found.same_configuration, found.unseen) == (VERSION, 1, True, {})
    assert found.champion_scores == found.candidate


@pytest.mark.usefixtures("root")
def test_another_configuration_is_backtested_on_the_same_origins(sold: Panel):
    crown(sold, sold.last_day, OTHER)
    found = compared()
    at = [np.datetime64(day) for day in found.origins]
    expected = means([fold_scores(fold) for fold in backtest(sold, fit_with(OTHER, HORIZON), at, HORIZON)])
    assert not found.same_configuration
    assert found.champion_scores == pytest.approx(expected, rel=1e-5)
    assert found.ratio == pytest.approx(found.candidate["smape"] / expected["smape"], rel=1e-5)


@pytest.mark.usefixtures("root")
def test_origins_that_the_champion_never_saw(sold: Panel, monkeypatch: pytest.MonkeyPatch):
    old = crown(sold, sold.last_day - 70)
    monkeypatch.setattr(DemandModel, "fit", no_training)
    found = compared()
    evaluated = json.loads(paths.EVALUATE_METRICS.read_text())
    assert [str(day) for day in found.unseen] == [fold["origin"] for fold in evaluated["per_origin"]]  # 63 and 28 days ago
    for fold, scores in zip(evaluated["per_origin"], found.unseen.values(), strict=True):
        origin = np.datetime64(fold["origin"])
        assert scores["candidate"]["smape"] == fold["smape"]  # fitted there in the same way
        expected = fold_scores(fold_of(sold, sold.through(origin), origin, HORIZON, old))
        assert scores["champion"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("root")
def test_a_champion_that_saw_all_but_the_last_days(sold: Panel):
    origin = sold.last_day - 45
    old = crown(sold, origin)
    paths.EVALUATE_METRICS.write_text(paths.EVALUATE_METRICS.read_text().replace(str(sold.last_day - 28), str(origin - 7)))
    (day, scores), = compared().unseen.items()
    assert str(day) == str(sold.last_day - HORIZON)
    fresh = DemandModel.fit(sold.through(sold.last_day - HORIZON), TRAIN, HORIZON)
    for who, model in (("candidate", fresh), ("champion", old)):
        assert scores[who] == pytest.approx(scored(sold, sold.last_day - HORIZON, HORIZON, model), rel=1e-5)


@pytest.mark.parametrize(("ago", "expected"), [
    (27, {}), (28, {28: 28}), (40, {28: 28}), (64, {63: 28, 28: 28}), (10_000, {63: 28, 28: 28})])
def test_unseen_days(sold: Panel, ago: int, expected: dict[int, int]):
    last = sold.last_day
    of = Champion.model_construct(trained_through=(last - ago).astype(object), horizon=90)
    at = [last - 63, last - 28]
    assert unseen_days(sold, at, HORIZON, of) == {last - back: days for back, days in expected.items()}


def test_unseen_days_when_no_origin_of_the_backtest_is_late_enough(sold: Panel):
    last = sold.last_day
    for ago, horizon, origin, days in ((40, 90, 40, 40), (100, 90, 90, 90), (100, 30, 30, 30)):
        of = Champion.model_construct(trained_through=(last - ago).astype(object), horizon=horizon)
        assert unseen_days(sold, [last - 200], 90, of) == {last - origin: days}


@pytest.mark.usefixtures("root")
def test_a_champion_older_than_the_settings_takes_new_ones_from_the_candidate(sold: Panel, monkeypatch: pytest.MonkeyPatch):
    older = {key: value for key, value in TRAIN.model_dump().items() if key != "seed"} | {"forgotten": 1}
    crown(sold, sold.last_day, recorded=older)
    monkeypatch.setattr(DemandModel, "fit", no_training)
    assert compared().same_configuration
