"""One wrong value: it is taken as unknown, and the forecasts of the other series stay where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.torture.cells import FURTHEST, HORIZON, MEAN, cleaned, demo, moved, with_value
from demand.model.base.extremes import extremes, without_extremes
from demand.model.demand_model import DemandModel
from demand.model.trees.train_params import TrainParams
from demand.panel.lag_features import lag_features
from demand.panel.panel import FILLED, OBSERVED, OUTLIER, Panel
from tests.support.examples import PARAMS
from tests.support.panels import TRAIN, noisy, panel, ready, shaped


@settings(max_examples=25, deadline=None)
@given(series=st.integers(0, 99), when=st.sampled_from(["first", "any", "last"]), where=st.floats(0, 1),
       times=st.sampled_from([1e3, 1e6, 1e12]), closing=st.booleans())
@example(series=60, when="first", where=0.0, times=1e12, closing=False)
@example(series=60, when="last", where=1.0, times=1e12, closing=False)
@example(series=10, when="first", where=0.0, times=1e12, closing=True)  # a public holiday: nobody sells anything
@example(series=60, when="any", where=0.33, times=1e3, closing=True)
def test_one_wrong_value_moves_no_other_series(series: int, when: str, where: float, times: float, closing: bool) -> None:
    """A thousandth is the aim; a search over cells has found 0.0013 for one series on a demo with closed days."""
    days = demo(closing).sales.shape[1]
    first, last = {"first": (0, 27), "any": (0, days - 1), "last": (days - 5, days - 1)}[when]
    furthest, mean = moved(closing, series, round(first + where * (last - first)), times)
    assert furthest < FURTHEST
    assert mean < MEAN


def forecasts(whole: Panel) -> np.ndarray:
    model = DemandModel.fit(whole, TRAIN.model_copy(update={"n_estimators": 10}), HORIZON)
    return model.predict(whole, whole.last_day, HORIZON).point


@pytest.mark.parametrize("day", [0, 15, 500, 1826])
def test_how_large_a_wrong_value_is_does_not_matter_and_it_teaches_nothing(day: int) -> None:
    """With trees as well: what cleaning marked, or what it let pass, is the same as a day whose sales nobody knows."""
    whole = ready(panel(demo().sales[::4]), HORIZON)
    unknown = whole.sales.copy()
    unknown[7, day] = np.nan
    status = whole.status.copy()
    status[7, day] = FILLED
    expected = forecasts(replace(whole, sales=unknown, status=status))
    for units, seen in ((1e4, OBSERVED), (1e12, OBSERVED), (3e38, OBSERVED), (200, OUTLIER)):
        wrong = whole.sales.copy()
        wrong[7, day] = units
        status = whole.status.copy()
        status[7, day] = seen
        disturbed = replace(whole, sales=wrong, status=status)
        np.testing.assert_array_equal(forecasts(disturbed), expected)


def test_ordinary_demand_stays_as_it_is() -> None:
    for records in (demo(), demo(closing=True)):
        whole = cleaned(records)
        assert without_extremes(whole, len(whole.dates) - 2) is whole
    rng = np.random.default_rng(0)
    rare, giant = rng.poisson(0.03, (20, 700)), np.where(rng.random((20, 700)) < 0.01, 50, 0)
    for sales in (noisy(shaped(10, 700, growth=1.0)), rare, giant, np.zeros((3, 700)), np.full((3, 2), 9.0)):
        assert not extremes(panel(sales), sales.shape[1] - 1).any()


def test_a_new_level_is_believed_on_its_third_day_and_later_days_are_not_looked_at() -> None:
    sales = np.full((1, 100), 5.0)
    sales[0, 50:] = 400
    assert [np.flatnonzero(extremes(panel(sales), end)[0]).tolist() for end in (50, 51, 52, 99)] == [[50], [50, 51], [], []]


def test_series_that_sold_on_one_or_two_days_only() -> None:
    sales = np.zeros((4, 50))
    sales[0, 3] = 1e12  # held against the others
    sales[1, [5, 9]] = 40, 1e6  # against its other day
    sales[2, [5, 9, 30]] = 30
    sales[3, 7] = 25
    assert np.argwhere(extremes(panel(sales), 49)).tolist() == [[0, 3], [1, 9]]
    assert not extremes(panel(sales[:1]), 49).any()  # nothing tells


def test_lag_features_do_not_carry_the_wrong_value_on() -> None:
    sales = noisy(shaped(5, 200))
    sales[2, 10] = 1e12
    sane = without_extremes(ready(panel(sales)), 199)
    lags = lag_features(sane)
    assert np.nanmax(lags) < 500
    assert np.isnan(lags[2, 11, 0])  # the lag of one day
    np.testing.assert_array_equal(lags[[0, 1, 3, 4]], lag_features(ready(panel(sales)))[[0, 1, 3, 4]])


@pytest.mark.slow
@pytest.mark.parametrize(("day", "units"), [(10, 1e12), (1826, 1e12)])
def test_the_whole_demo_with_its_trees(day: int, units: float) -> None:
    """The mean forecast of the other 499 series; one that changes by two units moves it by up to 0.05 %."""
    records = demo(whole=True)
    train = TrainParams.model_validate(PARAMS["train"])
    means = []
    for whole in (cleaned(records), cleaned(with_value(records, 7, day, units))):
        point = DemandModel.fit(whole, train, 90).predict(whole, whole.last_day, 90).point
        means.append(np.delete(point, 7, axis=0).mean(dtype="f8"))
    assert means[1] == pytest.approx(means[0], rel=1e-3)
