"""Scores by speed and age: every series is in one group, and the limit is what Poisson noise leaves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from demand.backtest import scores
from demand.backtest.evaluation_record import evaluation_record
from demand.backtest.folds import backtest
from demand.backtest.group_scores import age, by_age, by_speed, poisson_limit, speed
from demand.panel.panel import ABSENT
from tests.support.models import fit_with
from tests.support.panels import TRAIN, noisy, panel

LEVELS = np.array([0.05, 0.5, 2.0, 5.0, 40.0, 40.0])


@pytest.fixture(scope="module")
def folds() -> list:
    whole = panel(noisy(np.repeat(LEVELS[:, None], 500, axis=1)))
    whole.status[5, :400], whole.sales[5, :400], whole.recorded[5, :400] = ABSENT, np.nan, np.nan
    return backtest(whole, fit_with(TRAIN, 56), [whole.dates[430]], 56)


def test_every_series_has_one_speed_and_one_age(folds: list) -> None:
    np.testing.assert_allclose(speed(folds[0]), LEVELS, rtol=0.3, atol=0.1)
    np.testing.assert_array_equal(age(folds[0]), [431] * 5 + [31])
    for rows in (by_speed(folds), by_age(folds)):
        assert sum(row["series"] for row in rows) == len(LEVELS)
        assert sum(row["units"] for row in rows) == pytest.approx(100)
    assert [row["speed"] for row in by_speed(folds)] == ["0 to 0.3", "0.3 to 1", "1 to 3", "3 to 10", "10 and more"]
    assert [row["age"] for row in by_age(folds)] == ["1 to 57", "366 and more"]


def test_totals_leave_out_unknown_days_and_the_rest_of_the_horizon() -> None:
    actual, forecast = np.ones((2, 60)), np.full((2, 60), 2.0)
    actual[0, 3], actual[1, :28] = np.nan, np.nan
    sold, made = scores.totals(actual, forecast)
    assert sorted(sold.tolist()) == [27, 28, 28]
    np.testing.assert_array_equal(made, 2 * sold)
    assert scores.wape_of_totals(actual, forecast) == pytest.approx(100)
    assert scores.wape_of_totals(actual[:, 3:10], forecast[:, 3:10]) == pytest.approx(100), "a horizon of less than 28 days"


def test_the_limit_is_the_error_of_poisson_sales_around_their_mean() -> None:
    mean = np.geomspace(0.3, 200, 40)[:, None] * np.ones((1, 28)) / 28
    draws = np.random.default_rng(0).poisson(mean, (4000, *mean.shape))
    simulated = np.mean([scores.wape_of_totals(draw, mean) * draw.sum() / mean.sum() for draw in draws])
    assert poisson_limit(mean, mean) == pytest.approx(simulated, rel=0.02)
    units = np.arange(600)
    exact = sum(np.abs(units - m) @ stats.poisson(m).pmf(units) for m in mean.sum(axis=1))
    assert poisson_limit(mean, mean) == pytest.approx(100 * exact / mean.sum(), rel=1e-6)


def test_the_record_has_both_tables(folds: list) -> None:
    record = evaluation_record(folds, folds[0].history, {})
    assert record["wape_28"] == pytest.approx(scores.wape_of_totals(folds[0].actual, folds[0].forecast.point), rel=1e-4)
    assert {"series", "units", "wape", "wape_28", "limit_28", "bias", "coverage_80"} < set(record["per_speed"][0])
    assert evaluation_record([], folds[0].history, {}).keys() == record.keys()
