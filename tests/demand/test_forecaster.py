"""The forecaster is the pipeline under another face: its numbers are those of the stages, whatever the frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from demand.backtest.folds import backtest
from demand.forecaster import HORIZON, PREPARE, TRAIN, DemandForecaster
from demand.model.demand_model import DemandModel
from demand.planning.forecast_table import forecast_next_days, forecast_table
from demand.schema.errors import UserError
from tests.support.examples import PARAMS
from tests.support.models import fit_with
from tests.support.panels import noisy, panel, ready, shaped

FAST = {"n_estimators": 20, "rows": 4000, "max_depth": 4}


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    sold = panel(noisy(shaped(6, 500)))
    series, day = np.indices(sold.sales.shape)
    return pd.DataFrame({"date": sold.dates[day.ravel()].astype(str), "store": sold.store[series.ravel()],
                         "item": sold.item[series.ravel()], "sales": sold.sales.ravel().astype(int)})


def test_its_defaults_are_those_of_the_pipeline():
    assert TRAIN.model_dump() == PARAMS["train"]
    assert PREPARE.model_dump() == PARAMS["prepare"]
    assert PARAMS["forecast"]["horizon"] == HORIZON


def test_it_forecasts_what_the_pipeline_forecasts(sales: pd.DataFrame):
    sold = ready(panel(noisy(shaped(6, 500))), 1)
    settings = TRAIN.model_copy(update=FAST)
    expected = forecast_table(sold, forecast_next_days(sold, DemandModel.fit(sold, settings, 28), 28)).to_pandas()
    made = DemandForecaster(horizon=28, **FAST).fit(sales).predict()
    pd.testing.assert_frame_equal(made, expected)


def test_rows_in_any_order_and_any_frame(sales: pd.DataFrame):
    shuffled = sales.sample(frac=1, random_state=0)
    expected = DemandForecaster(horizon=14, **FAST).fit(sales).predict(h=7, level=[80])
    assert list(expected.columns) == ["store", "item", "date", "horizon", "forecast", "lo_80", "hi_80"]
    made = DemandForecaster(horizon=14, **FAST).fit(pa.table(shuffled)).predict(h=7, level=[80])
    assert isinstance(made, pa.Table)
    pd.testing.assert_frame_equal(made.to_pandas(), expected)


def test_covariates_of_the_days_to_forecast_come_with_the_question(sales: pd.DataFrame):
    promo = np.random.default_rng(0).random(len(sales)) < 0.3
    known = sales.assign(promo=promo.astype(int), sales=np.where(promo, 2 * sales["sales"], sales["sales"]))
    fitted = DemandForecaster(["promo"], horizon=14, **FAST).fit(known)
    days = pd.date_range(pd.Timestamp(sales["date"].max()) + pd.Timedelta(days=1), periods=14).astype(str)
    ahead = sales[["store", "item"]].drop_duplicates().merge(pd.DataFrame({"date": days}), how="cross")
    without, within = (fitted.predict(X_df=ahead.assign(promo=value))["forecast"].sum() for value in (0, 1))
    assert 1.6 < within / without < 2.4
    without, within = (fitted.explain(X_df=ahead.assign(promo=value))["covariate:promo"].mean() for value in (0, 1))
    assert 1.6 < within / without < 2.4
    with pytest.raises(UserError, match="promo has no value on"):
        fitted.explain()
    with pytest.raises(UserError, match="promo has no value on"):
        fitted.predict()
    with pytest.raises(UserError, match="X_df has no column promo"):
        fitted.predict(X_df=ahead)


def test_it_explains_what_it_predicts(sales: pd.DataFrame):
    fitted = DemandForecaster(horizon=14, **FAST).fit(sales)
    predicted, reasons = fitted.predict(h=7), fitted.explain(h=7)
    keys = ["store", "item", "date", "horizon"]
    assert list(reasons.columns[:8]) == [*keys, "forecast", "level", "growth", "weekday"]
    pd.testing.assert_frame_equal(reasons[keys], predicted[keys])
    np.testing.assert_allclose(reasons["forecast"], predicted["forecast"], rtol=1e-6)
    np.testing.assert_allclose(reasons.drop(columns=[*keys, "forecast"]).prod(axis=1), predicted["forecast"], rtol=1e-6)
    exact, rough = (fitted.explain(h=7, exact=value) for value in (True, False))
    pd.testing.assert_frame_equal(exact, reasons)
    assert not exact["trees:calendar"].equals(rough["trees:calendar"])
    assert isinstance(DemandForecaster(horizon=14, **FAST).fit(pa.table(sales)).explain(h=1), pa.Table)
    with pytest.raises(UserError, match="fit the forecaster"):
        DemandForecaster().explain()


def test_cross_validation_is_the_backtest(sales: pd.DataFrame):
    sold = ready(panel(noisy(shaped(6, 500))), 1)
    made = DemandForecaster(horizon=28, **FAST).cross_validation(sales, n_windows=2, step_size=35)
    assert made["cutoff"].nunique() == 2
    at = [sold.last_day - 28 - 35, sold.last_day - 28]
    folds = backtest(sold, fit_with(TRAIN.model_copy(update=FAST), 28), at, 28)
    assert made["forecast"].to_numpy() == pytest.approx(np.concatenate([fold.forecast.point.ravel() for fold in folds]))
    assert made["sales"].to_numpy() == pytest.approx(np.concatenate([fold.actual.ravel() for fold in folds]))


def test_what_is_wrong_is_named(sales: pd.DataFrame):
    with pytest.raises(UserError, match="fit the forecaster"):
        DemandForecaster().predict()
    with pytest.raises(UserError, match="no column 'sales'"):
        DemandForecaster().fit(sales.rename(columns={"sales": "units"}))
    with pytest.raises(UserError, match="no data frame"):
        DemandForecaster().fit(42)
    with pytest.raises(UserError, match="intervals of 80 and 95"):
        DemandForecaster(horizon=14, **FAST).fit(sales).predict(level=[50])


def test_holidays_and_own_events_are_known_without_rows_of_the_days_ahead(sales: pd.DataFrame):
    """Twice the sales on every Thanksgiving and on an own event, in a frame that ends before the next ones."""
    day = pd.to_datetime(sales["date"])
    opening = pd.to_datetime(["2020-02-07", "2020-06-11", "2020-10-15"])
    busy = sales.assign(sales=np.where(day.isin([pd.Timestamp("2020-11-26"), *opening]), 2 * sales["sales"], sales["sales"]))
    busy = busy[(day < "2021-03-01")]
    own = pd.DataFrame({"name": "Opening", "first_day": [*opening.date, pd.Timestamp("2021-03-17").date()], "last_day": ""})
    fitted, plain = (DemandForecaster(horizon=28, **given, **FAST).fit(busy).predict()
                     for given in ({"calendar": {"default": "US"}, "events": own}, {}))
    ratio = (fitted.groupby("date")["forecast"].sum() / plain.groupby("date")["forecast"].sum())
    ratio.index = pd.to_datetime(ratio.index)
    assert ratio.idxmax() == pd.Timestamp("2021-03-17")
    assert ratio.max() > 1.5
    with pytest.raises(UserError, match="there is no country"):
        DemandForecaster(horizon=28, calendar={"default": "Nowhere"}).fit(busy)
