"""Rolling origins: where they lie, what a fold holds, and that nothing after an origin reaches it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from demand.backtest.folds import Fold, actual_after, backtest, fold_of, plan_backtest
from demand.panel.panel import FUTURE, Panel
from demand.schema.errors import UserError
from tests.support.models import fit_with
from tests.support.panels import TRAIN, noisy, panel, ready, shaped

DAYS, HORIZON = 700, 28


@pytest.fixture(scope="module")
def sold() -> Panel:
    return ready(panel(noisy(shaped(6, DAYS))), HORIZON)


@pytest.fixture(scope="module")
def at(sold: Panel) -> list[np.datetime64]:
    return plan_backtest(sold, 2, 35, HORIZON).origins


@pytest.fixture(scope="module")
def folds(sold: Panel, at: list[np.datetime64]) -> list[Fold]:
    return backtest(sold, fit_with(TRAIN, HORIZON), at, HORIZON)


def test_origins_by_number(sold: Panel):
    last = sold.dates[0] + DAYS - 1
    assert plan_backtest(sold, 3, 35, HORIZON).origins == [last - HORIZON - 70, last - HORIZON - 35, last - HORIZON]


def test_origins_by_name_come_sorted(sold: Panel):
    named = (date(2021, 6, 30), date(2021, 3, 31))
    assert plan_backtest(sold, named, 35, HORIZON).origins == [np.datetime64("2021-03-31"), np.datetime64("2021-06-30")]


@pytest.mark.parametrize("wanted", [(date(2021, 11, 30),), (date(2020, 1, 10),)])
def test_named_origins_that_leave_too_few_days_are_refused(sold: Panel, wanted: tuple[date, ...]):
    with pytest.raises(UserError, match=r"evaluate\.origins: 20\d\d-\d\d-\d\d leaves less than 28 days before it or 28 after it"):
        plan_backtest(sold, wanted, 35, HORIZON)


def test_a_fold_holds_what_followed(sold: Panel, at: list[np.datetime64], folds: list[Fold]):
    for origin, fold in zip(at, folds, strict=True):
        start = sold.column(origin) + 1
        np.testing.assert_array_equal(fold.actual, sold.recorded[:, start:start + HORIZON])
        assert fold.history.last_day == fold.model.trained_through == fold.forecast.origin == origin
        assert np.isnan(fold.history.sales[:, start:]).all()


def test_changed_sales_after_an_origin_leave_its_forecast_as_it_was(sold: Panel, at: list[np.datetime64], folds: list[Fold]):
    rng = np.random.default_rng(1)
    for origin, fold in zip(at, folds, strict=True):
        end = sold.column(origin) + 1
        sales = sold.sales[:, :DAYS].copy()
        sales[:, end:] = rng.integers(0, 1000, sales[:, end:].shape)
        again = backtest(ready(panel(sales), HORIZON), fit_with(TRAIN, HORIZON), [origin], HORIZON)[0]
        assert again.model.to_bytes() == fold.model.to_bytes()
        for mine, theirs in ((fold.forecast.point, again.forecast.point), (fold.forecast.low[95], again.forecast.low[95]),
                             (fold.forecast.high[80], again.forecast.high[80])):
            assert mine.tobytes() == theirs.tobytes()
        assert not np.array_equal(again.actual, fold.actual)


def test_series_that_begin_after_the_origin_are_not_scored_there(sold: Panel, at: list[np.datetime64]):
    end = sold.column(at[0]) + 1
    late = replace(sold, status=sold.status.copy())
    late.status[2, :end] = FUTURE
    history = late.through(at[0])
    assert history.n_series == sold.n_series - 1
    others = np.delete(sold.recorded, 2, axis=0)[:, end:end + HORIZON]
    np.testing.assert_array_equal(actual_after(late, history, at[0], HORIZON), others)


def test_a_fitted_model_can_be_tested_later(sold: Panel, at: list[np.datetime64], folds: list[Fold]):
    fold = fold_of(sold, sold.through(at[1]), at[1], HORIZON, folds[0].model)
    assert fold.model.trained_through == at[0]
    assert fold.forecast.origin == at[1]
    np.testing.assert_array_equal(fold.actual, folds[1].actual)


def test_progress_sees_every_origin(sold: Panel, at: list[np.datetime64]):
    seen = []

    def watch(days: list[np.datetime64]):
        for day in days:
            seen.append(day)
            yield day

    backtest(sold, fit_with(TRAIN, HORIZON), at[:1], HORIZON, watch)
    assert seen == at[:1]
