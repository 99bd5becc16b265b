"""What the backtest says: means, months of the horizon, baselines, plots' data, and the stage as a whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from demand import baselines
from demand.backtest import plot_tables, scores
from demand.backtest.evaluation_record import evaluation_record
from demand.backtest.fold_scores import MONTH, WEEK, by_horizon, fold_scores, interval_scores, means
from demand.backtest.folds import Fold
from demand.champion.promotion_rule import EvaluationRecord
from demand.distribution.joint_error import JointError
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.lag_features import feature_table
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from demand.schema.json_record import round_floats, sha256
from stages import evaluate
from tests.support.models import put_candidate
from tests.support.panels import TRAIN, closed, noisy, panel, ready, shaped
from workspace.run import paths, progress
from workspace.run.files import write_table

SERIES, HORIZON = 4, 90
MODEL: Any = SimpleNamespace(base=SimpleNamespace(kind="level"), joint_error=JointError(1.0, np.zeros((4, 4)), 4.0))


def sales_of(seed: int, known: dict[str, np.ndarray] | None = None) -> Panel:
    return ready(panel(noisy(shaped(SERIES, 500), seed), known=known))


def fold(seed: int, end: int = 400, known: dict[str, np.ndarray] | None = None) -> Fold:
    """What some method forecast for 4 series after day `end`, with intervals of 0.8 and 1.2, 0.6 and 1.4 times the median."""
    rng = np.random.default_rng(seed)
    whole = sales_of(seed, known)
    history = whole.through(whole.dates[end])
    point = rng.integers(10, 90, (SERIES, HORIZON)).astype("f4")
    actual = whole.recorded[:, end + 1:end + 1 + HORIZON].copy()
    actual[rng.random(actual.shape) < 0.05] = np.nan
    made = Forecast(whole.dates[end], point, {80: 0.8 * point, 95: 0.6 * point}, {80: 1.2 * point, 95: 1.4 * point})
    return Fold(history, actual, made, MODEL)


@pytest.fixture
def folds() -> list[Fold]:
    return [fold(0, 300), fold(1, 391)]


def test_scores_of_a_fold_against_loops():
    one = fold(5)
    found = fold_scores(one)
    made = one.forecast
    quantiles = (made.point, made.low[80], made.high[80], made.low[95], made.high[95])
    days = [(y, *(values[s, h] for values in quantiles)) for (s, h), y in np.ndenumerate(one.actual.astype("f8")) if y == y]
    assert found["n"] == len(days)
    assert found["coverage_80"] == pytest.approx(100 * sum(low <= y <= high for y, _, low, high, _, _ in days) / len(days))
    assert found["coverage_95"] == pytest.approx(100 * sum(low <= y <= high for y, _, _, _, low, high in days) / len(days))

    def loss(y: float, q: float, level: float) -> float:
        return level * (y - q) if y > q else (1 - level) * (q - y)

    losses = [np.mean([loss(y, q, level) for q, level in zip(quantiles, (0.5, 0.1, 0.9, 0.025, 0.975), strict=True)])
              for y, *quantiles in days]
    assert found["pinball"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert found["mase"] == pytest.approx(scores.mase(one.actual, one.forecast.point, scores.naive_scale(one.history.recorded)))


def test_days_that_the_plan_calls_closed_do_not_count_for_coverage():
    plan = np.ones((SERIES, 500))
    plan[:, 401:431] = 0
    one = fold(2, 400, {"open": plan})
    one.actual[:, :30] = 1e6  # outside every interval
    assert interval_scores(one, slice(None))["coverage_80"] == pytest.approx(
        interval_scores(one, slice(30, 90))["coverage_80"])
    assert interval_scores(fold(2, 400), slice(None))["coverage_80"] > 0


def test_a_fold_without_sales_is_an_error():
    one = fold(0)
    one.actual[:] = np.nan
    with pytest.raises(UserError, match="no series has sales after the origin 2021-02-09"):
        fold_scores(one)


def test_means_add_counts_up():
    assert means([{"mae": 1.0, "n": 3, "mape_zeros": 1}, {"mae": 2.0, "n": 5, "mape_zeros": 0}]) == {
        "mae": 1.5, "n": 8, "mape_zeros": 1}


def test_months_and_weeks_split_the_horizon(folds: list[Fold]):
    months = by_horizon(folds, MONTH)
    assert [(row["first_day"], row["last_day"]) for row in months] == [(1, 30), (31, 60), (61, 90)]
    second = np.mean([scores.errors(one.actual[:, 30:60], one.forecast.point[:, 30:60])["smape"] for one in folds])
    assert months[1]["smape"] == pytest.approx(second)
    weeks = by_horizon(folds, WEEK)
    assert [(row["first_day"], row["last_day"]) for row in weeks][-2:] == [(78, 84), (85, 90)]
    folds[0].actual[:, 84:] = np.nan  # a week in which one fold has nothing to say
    last = by_horizon(folds, WEEK)[-1]
    assert last["wape"] == pytest.approx(scores.errors(folds[1].actual[:, 84:], folds[1].forecast.point[:, 84:])["wape"])


def test_rounding():
    assert round_floats({"a": 1.23456789, "b": [np.float32(2e-9), float("nan")], "c": 3, "d": "x"}) == {
        "a": 1.23457, "b": [2e-9, None], "c": 3, "d": "x"}


@pytest.mark.parametrize(("days", "horizon"), [(900, 90), (400, 90), (365, 90), (200, 90), (60, 90), (9, 20), (800, 400)])
def test_seasonal_naive_against_loops(days: int, horizon: int):
    sales = noisy(shaped(3, days))
    sales[1, : days - 5] = np.nan  # five days old: two weekdays were never seen
    whole = panel(sales)
    made = baselines.seasonal_naive(whole, whole.last_day, horizon)
    for series in range(3):
        for h in range(1, horizon + 1):
            sources = [next(day for day in range(days - 1 + h, -400, -step) if day < days) for step in (364, 7)]
            seen = [sales[series, day] for day in sources if day >= 0 and not np.isnan(sales[series, day])]
            assert made[series, h - 1] == pytest.approx(seen[0] if seen else np.nanmean(sales[series, -28:]))


def test_the_factor_model_finds_factors_and_closed_days():
    mean = shaped(10, 900, growth=0.1)
    whole = panel(mean)
    origin = whole.dates[800]
    made = baselines.factor_model(ready(whole), origin, 90)
    np.testing.assert_allclose(made, mean[:, 801:891], rtol=0.08)  # half of the growth is expected to go on
    sundays = np.arange(900) % 7 == 6
    made = baselines.factor_model(ready(closed(whole, sundays)), origin, 90)
    assert (made[:, sundays[801:891]] == 0).all()
    assert (made[:, ~sundays[801:891]] > 0).all()


@pytest.mark.parametrize("method", baselines.BASELINES)
def test_baselines_do_not_see_past_the_origin(method: str):
    sales = noisy(shaped(5, 800))
    spoiled = sales.copy()
    spoiled[:, 701:] *= 5
    before, after = (ready(panel(values)) for values in (sales, spoiled))
    origin = before.dates[700]
    np.testing.assert_array_equal(*(baselines.BASELINES[method](made, origin, 90) for made in (before, after)))


def test_total_per_day(folds: list[Fold]):
    table = plot_tables.total_per_day(folds)
    assert table["date"] == sorted(set(table["date"]))
    first = folds[0]
    known = ~np.isnan(first.actual[:, 3])
    assert table["actual"][3] == pytest.approx(first.actual[known, 3].sum())
    assert table["predicted"][3] == pytest.approx(first.forecast.point[known, 3].sum())


def test_samples_run_from_large_to_small(folds: list[Fold]):
    table = plot_tables.sample_series(folds)
    names = list(dict.fromkeys(table["series"]))
    assert len(names) == plot_tables.SAMPLES
    sold = [sum(y for y, name in zip(table["actual"], table["series"], strict=True) if name == one) for one in names]
    assert sold == sorted(sold, reverse=True)


def test_residuals_against_loops(folds: list[Fold]):
    table = plot_tables.residuals(folds, "item")
    assert table["item"] == [1, 2, 3, 4]
    for item, bias, wape in zip(*table.values(), strict=True):
        pairs = [(f, y) for one in folds for s in np.flatnonzero(one.history.item == item)
                 for f, y in zip(one.forecast.point[s], one.actual[s], strict=True) if y == y]
        assert bias == pytest.approx(100 * sum(f - y for f, y in pairs) / sum(y for _, y in pairs), rel=1e-5)
        assert wape == pytest.approx(100 * sum(abs(f - y) for f, y in pairs) / sum(y for _, y in pairs), rel=1e-5)


def test_summary_keeps_lists_out_of_dvc_metrics():
    content = json.loads(json.dumps(evaluation_record([fold(0, 400), fold(0, 409)], sales_of(0), baselines.BASELINES)))
    assert {"mae", "rmse", "mape", "mape_zeros", "smape", "wape", "bias", "mase", "pinball", "coverage_80", "coverage_95",
            "n", "base"} <= set(content)
    assert {row["origin"] for row in content["per_origin"]} == {"2021-02-09", "2021-02-18"}
    assert content["smape"] == pytest.approx(np.mean([row["smape"] for row in content["per_origin"]]), rel=1e-5)
    assert [row["method"] for row in content["baselines"]] == list(baselines.BASELINES)
    assert set(content["normal"][0]) == {"error_per_sd", "spread"}
    assert (content["origins"], content["horizon"]) == (2, 90)
    assert [row["last_day"] for row in content["per_month"]] == [30, 60, 90]
    flat = [value for value in content.values() if not isinstance(value, list)]
    assert len(flat) < 20


@pytest.fixture
def trained(project: Callable[..., Path]) -> Panel:
    """A project at the point where train has just run."""
    project({"train": TRAIN.model_dump(), "evaluate": {"origins": 2, "step_days": 30}, "forecast.horizon": 28})
    made = ready(panel(noisy(shaped(6, 500))), 1)
    write_table(paths.WINDOW, feature_table(made))
    put_candidate(DemandModel.fit(made, TRAIN, 28))
    return made


def test_the_stage(trained: Panel, capsys: pytest.CaptureFixture[str]):
    evaluate.main()
    first = {path: path.read_bytes() for path in [paths.EVALUATE_METRICS, *paths.PLOTS.glob("*.csv")]}
    content = json.loads(paths.EVALUATE_METRICS.read_text())
    assert content["model_sha256"] == sha256(paths.MODEL.read_bytes())
    assert content["trained_through"] == str(trained.last_day)
    assert EvaluationRecord.model_validate(content).smape == content["smape"] < content["baselines"][0]["smape"]
    assert len(first) == 9
    for path in paths.PLOTS.glob("*.csv"):
        rows = list(csv.DictReader(path.open(newline="")))
        assert rows
        assert not any(value in ("", "nan", "None") for row in rows for value in row.values()), path
    out, err = capsys.readouterr()
    assert out.startswith("mean of 2 origins, 28 days each: SMAPE ")
    assert err.splitlines() == [f"backtest {n} of 2: origin {trained.last_day - 28 - 30 * (2 - n)}" for n in (1, 2)]
    evaluate.main()
    assert {path: path.read_bytes() for path in first} == first


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    days = [np.datetime64("2020-01-01"), np.datetime64("2020-02-01")]
    assert list(progress.announced(days)) == days
    assert "backtest: 100%" in capsys.readouterr().err
