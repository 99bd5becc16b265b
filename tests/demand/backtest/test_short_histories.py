"""Short histories: how far they are backtested, what is null without a backtest, and how wide their intervals are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from demand.backtest.error_model import read_error_model
from demand.backtest.evaluation_record import SCORES, evaluation_record, scores_message
from demand.backtest.folds import FEWEST_BEFORE, backtest, backtest_fits, plan_backtest
from demand.backtest.scores import coverage
from demand.baselines import BASELINES
from demand.champion.champion_record import BASELINE, Champion
from demand.champion.comparison import compare_with_champion, comparison_message
from demand.champion.history_rows import history_row, log_line
from demand.champion.model_card import card
from demand.champion.promotion_rule import ComparisonRecord, EvaluationRecord, decide_promotion
from demand.drift.drift_params import DriftParams
from demand.drift.monitor import assess_champion
from demand.drift.reasons import reasons
from demand.model.demand_model import DemandModel
from demand.model.intervals import SEASON_ERROR, shared_error
from demand.model.training_record import TrainingRecord, training_record
from demand.panel.panel import Panel
from demand.panel.training_window import FEWEST_DAYS
from tests.support.examples import PARAMS
from tests.support.models import fit_with
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from tests.support.parts import REAL

QUICK = TRAIN.model_copy(update={"rows": 4000, "n_estimators": 20})
RULES = DriftParams.model_validate(PARAMS["drift"])


def history(days: int, series: int = 6) -> Panel:
    return ready(panel(noisy(shaped(series, days))), 90)


@settings(max_examples=200, deadline=None)
@given(days=st.integers(1, 900), wanted=st.integers(1, 6), step=st.integers(1, 120), horizon=st.integers(1, 120))
def test_as_many_origins_as_fit_else_the_longest_horizon(days: int, wanted: int, step: int, horizon: int) -> None:
    whole = panel(np.ones((1, days)))
    plan = plan_backtest(whole, wanted, step, horizon)
    if days < FEWEST_DAYS:
        assert plan.origins == []
        return
    before = [whole.column(origin) + 1 for origin in plan.origins]
    assert before == sorted(before)
    room = [days - horizon - step * k for k in range(wanted)]
    fitting = [left for left in room if left >= max(horizon, FEWEST_BEFORE)]
    assert before == (fitting[::-1] or [days - plan.horizon])
    assert plan.horizon == (horizon if fitting else min(horizon, days - FEWEST_BEFORE))


def test_an_origin_without_sales_on_both_sides_is_none() -> None:
    whole = history(300)
    assert backtest_fits(whole, 90)
    recorded = whole.recorded.copy()
    recorded[:, 210:300] = np.nan
    assert not backtest_fits(replace(whole, recorded=recorded), 90)


def test_without_an_origin_every_score_is_null_and_every_key_there() -> None:
    whole = history(200)
    plan = plan_backtest(whole, 4, 91, 90)
    scored = evaluation_record(backtest(whole, fit_with(QUICK, plan.horizon), plan.origins, plan.horizon), whole, BASELINES)
    unscored = evaluation_record([], whole, BASELINES)
    assert list(unscored) == list(scored)
    assert (scored["origins"], scored["horizon"]) == (1, 90)
    assert {key for key, value in unscored.items() if value is None} == {*SCORES, "horizon", "base"}
    assert {key for key, value in scored.items() if value is None} == set()
    assert scores_message(unscored).startswith("unscored: a backtest needs 60 days")
    assert scores_message(scored).startswith("one origin, 90 days each: SMAPE")
    assert read_error_model(unscored) is None


def champion_of(evaluated: dict[str, Any], days: int) -> Champion:
    baseline = {key: value for key, value in evaluated.items() if key in BASELINE}
    return Champion(version="20240501T000000Z", model="m", sha256="0" * 64, train=QUICK.model_dump(), horizon=90, previous=None,
                    trained_through=date.fromisoformat(str(history(days).last_day)), promoted_at="2024-05-01T00:00:00Z",
                    promoted_by="me", reason="first", baseline=baseline)


@pytest.fixture
def unscored() -> Champion:
    return champion_of(evaluation_record([], history(40), BASELINES), 40)


def compared(champion: str | None, ours: float | None, theirs: float | None = None) -> ComparisonRecord:
    candidate, other = ({} if score is None else {"smape": score} for score in (ours, theirs))
    return ComparisonRecord(model_sha256="0" * 64, champion=champion, same_configuration=False, origins=[], candidate=candidate,
                            champion_scores=other, ratio=None, unseen={})


def test_a_first_promotion_may_be_unscored_and_later_ones_may_not() -> None:
    decision = decide_promotion(compared(None, None), 0.01)
    assert decision.promote
    assert decision.reason.startswith("first champion, unscored")
    assert not decide_promotion(compared("v", None), 0.01).promote
    assert decide_promotion(compared("v", 10.0, 10.0), 0.01).promote
    assert EvaluationRecord.model_validate({"model_sha256": "0" * 64, "smape": None, "per_origin": []}).smape is None


def test_an_unscored_champion_is_marked_in_card_and_history(unscored: Champion) -> None:
    model = DemandModel.fit(history(40), QUICK, 90)
    training = TrainingRecord.model_validate(training_record(model.facts, b"", 240, {}))
    text = card(unscored, training, compared(None, None))
    assert "**Unscored**" in text
    assert "Forecasts beyond 0 days were never tested." in text
    assert "None" not in text
    row = history_row(unscored, "2020-01-06", None)
    assert row["smape"] == ""
    assert "smape= " in log_line(row)


def test_the_card_states_the_horizon_of_a_short_backtest() -> None:
    whole = history(100)
    plan = plan_backtest(whole, 4, 91, 90)
    folds = backtest(whole, fit_with(QUICK, plan.horizon), plan.origins, plan.horizon)
    scored = champion_of(evaluation_record(folds, whole, BASELINES), 100)
    training = TrainingRecord.model_validate(training_record(DemandModel.fit(whole, QUICK, 90).facts, b"", 600, {}))
    text = card(scored, training, compared(None, scored.baseline["smape"]))
    assert f"Means over the origins , {plan.horizon} days each." in text
    assert f"Forecasts beyond {plan.horizon} days were never tested." in text


@pytest.mark.parametrize(("days", "retrain"), [(41, False), (59, False), (60, True), (200, True)])
def test_a_model_is_due_once_a_first_origin_fits(unscored: Champion, days: int, retrain: bool) -> None:
    whole = history(days)

    def none_is_loaded(_: Champion) -> DemandModel:
        raise AssertionError

    verdict = assess_champion(whole, unscored, none_is_loaded, RULES)
    assert verdict.retrain == retrain
    assert verdict.train_through == str(whole.last_day if retrain else unscored.trained_through)
    text, = reasons(verdict, read_error_model(unscored.baseline))
    assert "promoted unscored" in text


def test_a_candidate_without_scores_is_compared_with_nothing(unscored: Champion) -> None:
    whole = history(50)
    model = DemandModel.fit(whole, QUICK, 90)
    record = evaluation_record([], whole, BASELINES)
    found = compare_with_champion(whole, record, QUICK, 90, unscored, DemandModel.fit, lambda _: model)
    assert found == {"champion_scores": {}, "unseen": {}}
    assert comparison_message(None, None, unscored).startswith("unscored")


@pytest.mark.parametrize("series", [1, 6])
@pytest.mark.parametrize("days", [1, 2, 13, 28, 59])
def test_models_of_a_few_days_have_wide_intervals_that_are_finite(days: int, series: int) -> None:
    whole = history(days, series)
    model = DemandModel.fit(whole, QUICK, 90)
    made = model.predict(whole, whole.last_day, 90)
    assert np.isfinite(made.high[95]).all()
    width = (made.high[80] - made.low[80]).sum() / made.point.sum()
    assert width > 2 * 1.28 * SEASON_ERROR * 1.5  # it widens with the month
    assert model.facts["intervals"] == ("prior" if series * (days - 1) // 3 < 100 else "held-out days")


def test_the_prior_gives_way_to_evidence() -> None:
    assert shared_error(None, 0) == SEASON_ERROR
    errors = [shared_error(0.02, spells) for spells in (0, 1, 4, 100)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(SEASON_ERROR)
    assert errors[-1] < 0.06


def covered(sales: np.ndarray, first: str) -> float:
    """Coverage of the 80 % intervals at the last origin of the default backtest."""
    whole = ready(panel(sales, start=first), 90)
    plan = plan_backtest(whole, 1, 91, 90)
    fold, = backtest(whole, fit_with(QUICK, plan.horizon), plan.origins, plan.horizon)
    return coverage(fold.actual, fold.forecast.low[80], fold.forecast.high[80])


@pytest.mark.parametrize("days", [100, 200])
def test_intervals_of_generated_short_histories_cover(days: int) -> None:
    """Averaged over the seasons in which a history can begin, and over waves of ± 30 %."""
    starts = {month: f"2021-{month:02}-01" for month in range(1, 13)}
    found = [covered(noisy(shaped(20, days, start=first), month), first) for month, first in starts.items()]
    assert 70 <= np.mean(found) <= 90


@pytest.mark.needs("data")
def test_intervals_of_the_first_days_of_the_competition_cover() -> None:
    """One origin has one common error, so that its coverage is far from 80 either way: averaged over lengths."""
    table = csv.read_csv(REAL / "store_item_train.csv")
    date_, store, item, units = (table[name].to_numpy() for name in ("date", "store", "item", "sales"))
    day = (date_.astype("M8[D]") - np.datetime64("2013-01-01")).astype(int)
    found = []
    for days in (100, 120, 160, 200, 300, 400):
        keep = (day < days) & (store % 2 == 1) & (item % 5 == 1)
        sales = np.zeros((10, 50, days))
        sales[store[keep] - 1, item[keep] - 1, day[keep]] = units[keep]
        found.append(covered(sales[::2, ::5].reshape(-1, days), "2013-01-01"))
    assert min(found) >= 70
    assert np.mean(found) <= 90
