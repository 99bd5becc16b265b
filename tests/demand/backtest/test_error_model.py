"""Residuals, their deviations by segment, and the error model of a backtest, against loops and known truths."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from demand.backtest.error_estimate import estimate_error_model, spread_beyond_sampling_error
from demand.backtest.error_model import read_error_model
from demand.backtest.residuals import days_without_data
from demand.backtest.segments import WEEKDAYS, deviations_by_kind, series_segments
from demand.panel.forecast import Forecast
from tests.support.panels import noisy, panel, ready, shaped
from tests.support.residuals import SIZE, outcome


def test_a_store_that_sells_nothing_at_all_says_nothing_about_demand():
    """Nor does a series that 20 units were due of; a single zero of a small one does."""
    store, due = np.repeat([1, 2], 3), np.tile([[30.0], [8.0], [8.0]], (2, 1)) * np.ones(3)
    sales = due.copy()
    sales[:3, 0] = 0  # the whole store
    sales[3, 1] = 0  # a series of 30
    sales[4, 2] = 0  # a series of 8
    expected = np.zeros((6, 3), bool)
    expected[:3, 0] = expected[3, 1] = True
    np.testing.assert_array_equal(days_without_data(store, sales, due), expected)
    assert not days_without_data(store[1:3], sales[1:3], due[1:3] / 2).any()  # 8 units in all: nothing may be sold by chance


def test_deviations_by_loops():
    seen = outcome(np.random.default_rng(10), factor=1.1, wave=0.3)
    seen = replace(seen, sales=np.where(np.random.default_rng(11).random(seen.sales.shape) < 0.2, np.nan, seen.sales))
    found = deviations_by_kind(seen, SIZE["mae"], SIZE["mape"])
    days = [(s, d) for s in range(40) for d in range(28) if not np.isnan(seen.sales[s, d])]
    common = sum(seen.sales[at] for at in days) / sum(seen.forecast[at] for at in days)
    assert found["everything"].level == pytest.approx(np.log(common))
    of = {"store": lambda s, _: f"store {seen.store[s]}", "item": lambda s, _: f"item {seen.item[s]}",
          "series": lambda s, _: f"store {seen.store[s]}, item {seen.item[s]}",
          "weekday": lambda _, d: WEEKDAYS[seen.dates[d].astype(object).weekday()]}
    for kind, name in of.items():
        assert len(found[kind].names) == len(set(found[kind].names)) == {"store": 5, "item": 8, "series": 40, "weekday": 7}[kind]
        for g, segment in enumerate(found[kind].names):
            mine = [at for at in days if name(*at) == segment]
            due = sum(seen.forecast[at] for at in mine)
            assert found[kind].expected[g] == pytest.approx(due)
            assert found[kind].level[g] == pytest.approx(np.log(sum(seen.sales[at] for at in mine) / due / common))
            assert found[kind].level_variance[g] == pytest.approx(sum(seen.sd[at] ** 2 for at in mine) / due**2)
            error = sum(abs(seen.sales[at] - common * seen.forecast[at]) for at in mine)
            assert found[kind].error[g] == pytest.approx(error / (SIZE["mae"] * sum(seen.sd[at] for at in mine)))


def test_a_kind_of_one_segment_is_everything_and_a_store_of_one_item_is_no_series():
    seen = outcome(np.random.default_rng(12))
    seen = replace(seen, store=np.ones(40, int), item=np.arange(40))
    assert set(deviations_by_kind(seen, SIZE["mae"], SIZE["mape"])) == {"everything", "item", "weekday"}
    assert series_segments(seen) == ("item", [f"item {item}" for item in range(40)])


def test_spread_beyond_chance_is_what_chance_does_not_explain():
    rng = np.random.default_rng(13)
    variance = rng.uniform(0.001, 0.01, 200_000)
    values = rng.normal(0, np.sqrt(0.05**2 + variance))
    assert spread_beyond_sampling_error([(values, variance, np.ones(200_000))]) == pytest.approx(0.05, rel=0.02)
    assert spread_beyond_sampling_error([(values * 0.1, variance, np.ones(200_000))]) == 0
    assert spread_beyond_sampling_error([(np.array([np.nan]), np.ones(1), np.ones(1))]) == 0


class Fold:
    """A fold of a backtest, as far as estimate_error_model needs it."""

    def __init__(self, history, forecast):
        self.history, self.forecast = history, forecast


def test_normal_reads_a_backtest_whose_truth_is_known():
    """Forecasts that are right but for a common error of 5 % per fold, with the sd of the Poisson counts."""
    mean = shaped(60, 900)
    whole = ready(panel(noisy(mean)))
    folds = []
    for origin, off in ((500, 1.05), (600, 0.95), (700, 1.05), (800, 0.95)):
        point = (off * mean[:, origin + 1 : origin + 91]).astype("f4")
        half = 1.28155 * np.sqrt(point)
        forecast = Forecast(whole.dates[origin], point, {80: point - half}, {80: point + half})
        folds.append(Fold(whole.through(whole.dates[origin]), forecast))
    found = estimate_error_model(folds, whole)
    assert found.error_per_sd.rmse == pytest.approx(1.06, abs=0.04)
    assert set(found.spread) == {28, 14}
    assert found.spread[28]["everything"].level == pytest.approx(0.05, abs=0.005)
    assert found.spread[28]["store"].level < 0.01
    assert read_error_model({"normal": [json.loads(json.dumps(found.model_dump(mode="json")))]}) == found
