"""The model as a whole: what it learns, what it must not see, and its bytes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from demand.backtest.scores import coverage, errors
from demand.model.demand_model import DemandModel
from demand.model.trees import boosted_trees, random_forest
from demand.panel.panel import Panel
from demand.schema.errors import UserError
from tests.support.examples import ROOT
from tests.support.panels import TRAIN, closed, noisy, panel, ready, shaped

DAYS = 1000


@pytest.fixture(scope="module")
def plain() -> Panel:
    return ready(panel(noisy(shaped(12, DAYS))))


@pytest.fixture(scope="module")
def fitted(plain: Panel) -> DemandModel:
    return DemandModel.fit(plain.through(plain.dates[DAYS - 91]), TRAIN, 90)


def test_close_to_the_noise_floor(plain: Panel, fitted: DemandModel) -> None:
    origin = plain.dates[DAYS - 91]
    forecast = fitted.predict(plain.through(origin), origin, 90)
    actual, mean = plain.recorded[:, DAYS - 90 : DAYS], shaped(12, DAYS)[:, -90:]
    floor = errors(actual, mean)["mae"]
    assert errors(actual, forecast.point)["mae"] < 1.08 * floor
    for level, tolerance in ((80, 4), (95, 2.5)):
        assert coverage(actual, forecast.low[level], forecast.high[level]) == pytest.approx(level, abs=tolerance)
    assert (forecast.low[95] <= forecast.low[80]).all()
    assert (forecast.low[80] <= forecast.point).all()
    assert (forecast.point <= forecast.high[80]).all()
    assert (forecast.high[80] <= forecast.high[95]).all()


def test_sales_after_the_origin_change_nothing(plain: Panel, fitted: DemandModel) -> None:
    origin = plain.dates[DAYS - 91]
    spoiled = panel(plain.sales[:, :DAYS].copy())
    spoiled.sales[:, DAYS - 90 :] *= 7
    spoiled.recorded[:, DAYS - 90 :] *= 7
    other = ready(spoiled)
    again = DemandModel.fit(other.through(origin), TRAIN, 90)
    assert again.to_bytes() == fitted.to_bytes()
    for whole in (plain, plain.through(origin), other):
        np.testing.assert_array_equal(fitted.predict(whole, origin, 90).point, again.predict(other, origin, 90).point)


def test_one_series_alone_gets_the_same_forecast(plain: Panel, fitted: DemandModel) -> None:
    origin = plain.last_day
    everyone = fitted.predict(plain, origin, 90)
    pooled = fitted.pool_at(plain, origin)
    np.testing.assert_allclose(fitted.predict(one_of(plain, 3), origin, 90, pooled).point[0], everyone.point[3], rtol=1e-6)


@pytest.mark.parametrize("algorithm", ["xgboost", "random_forest"])
def test_bytes_come_back_and_do_not_depend_on_threads(plain: Panel, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train = TRAIN.model_copy(update={"algorithm": algorithm, "n_estimators": 10, "max_depth": 6})
    contents = []
    for threads in (2, 1):
        for module in (boosted_trees, random_forest):
            monkeypatch.setattr(module, "THREADS", threads)
        contents.append(DemandModel.fit(plain, train, 90).to_bytes())
    origin = plain.last_day
    model = pickle.loads(pickle.dumps(DemandModel.from_bytes(contents[0])))
    assert model.to_bytes() == contents[0]
    other = DemandModel.from_bytes(contents[1])
    np.testing.assert_allclose(model.predict(plain, origin, 90).point, other.predict(plain, origin, 90).point, rtol=1e-9)
    if algorithm == "xgboost":  # a forest's pickle names its number of jobs
        assert contents[0] == contents[1]


def test_the_order_of_series_does_not_matter_to_the_forecast(plain: Panel, fitted: DemandModel) -> None:
    order = np.random.default_rng(0).permutation(plain.n_series)
    per_series = ("store", "item", "sales", "recorded", "status", "known")
    mixed = replace(plain, **{name: getattr(plain, name)[order] for name in per_series})
    a, b = fitted.predict(plain, plain.last_day, 90), fitted.predict(mixed, plain.last_day, 90)
    np.testing.assert_allclose(b.point, a.point[order], rtol=1e-5)


def test_a_promotion_that_is_planned_is_forecast() -> None:
    days, horizon = 800, 28
    rng = np.random.default_rng(0)
    promo = (rng.random(days + horizon).repeat(1) < 0.2).astype("f4")
    mean = shaped(10, days + horizon) * (1 + promo)
    sales = np.where(np.arange(days + horizon) < days, noisy(mean), np.nan)
    whole = panel(sales, known={"promo": np.broadcast_to(promo, mean.shape)})
    whole.status[:, days:] = 4  # future
    whole = ready(whole, horizon)
    model = DemandModel.fit(whole, TRAIN, horizon)
    forecast = model.predict(whole, whole.last_day, horizon)
    np.testing.assert_allclose(forecast.point.sum(axis=0), mean[:, days:].sum(axis=0), rtol=0.15)
    without = replace(whole, known=np.where(np.arange(whole.known.shape[1])[:, None] >= days, 0, whole.known))
    lift = forecast.point.sum(axis=0) / model.predict(without, whole.last_day, horizon).point.sum(axis=0)
    on = promo[days:] > 0
    assert on.any()
    assert lift[on].min() > 1.6
    assert lift[~on].max() < 1.2


def test_closed_days_are_zero_and_so_are_their_intervals() -> None:
    whole = ready(closed(panel(noisy(shaped(6, 700))), np.arange(700) % 7 == 6))
    forecast = DemandModel.fit(whole, TRAIN, 90).predict(whole, whole.last_day, 90)
    sunday = np.arange(700, 790) % 7 == 6
    assert not forecast.point[:, sunday].any()
    assert not forecast.high[95][:, sunday].any()
    assert (forecast.point[:, ~sunday] > 0).all()


def test_the_chances_of_closing_can_be_given() -> None:
    """A panel of one series knows its own habits, not on which holidays the others closed."""
    whole = ready(closed(panel(noisy(shaped(6, 700))), np.arange(700) % 7 == 6))
    model = DemandModel.fit(whole, TRAIN, 90)
    alone = one_of(whole, 2)
    chance = np.full((1, 90), 0.03)
    chance[0, [3, 5]] = 0.3, 0.6
    forecast = model.predict(alone, whole.last_day, 90, model.pool_at(whole, whole.last_day), chance)
    assert np.flatnonzero(forecast.point[0] == 0).tolist() == [5]
    assert np.flatnonzero(forecast.low[80][0] == 0).tolist() == [3, 5]
    assert (forecast.low[95] == 0).all()
    assert (forecast.high[80] > 0).all()
    sunday = model.predict(alone, whole.last_day, 90).point[0] == 0
    assert sunday.tolist() == (np.arange(700, 790) % 7 == 6).tolist()


def one_of(whole: Panel, series: int) -> Panel:
    """A panel of one of its series."""
    per_series = ("store", "item", "sales", "recorded", "status", "known")
    return replace(whole, **{name: getattr(whole, name)[series : series + 1] for name in per_series})


def test_xgboost_comes_without_what_it_does_not_need() -> None:
    """And a random forest can still be had afterwards."""
    code = ("import sys; from demand.model.trees.boosted_trees import xgboost; xgb = xgboost(); assert 'Booster' in dir(xgb); "
            "print([name for name in ('sklearn', 'pandas', 'scipy.stats') if name in sys.modules]); import sklearn.ensemble")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_series_that_is_new_since_the_training(plain: Panel, fitted: DemandModel) -> None:
    late = ready(panel(np.vstack([plain.sales[:, :DAYS], 3 * plain.sales[:1, :DAYS]])))
    late.status[-1, : DAYS - 60] = 5  # absent
    late = ready(late)
    point = fitted.predict(late, late.last_day, 90).point
    assert point[-1].sum() == pytest.approx(3 * point[0].sum(), rel=0.25)


@pytest.mark.parametrize("days", [91, 120, 200, 400])
def test_short_histories_still_give_a_forecast(days: int) -> None:
    whole = ready(panel(noisy(shaped(4, days))))
    forecast = DemandModel.fit(whole, TRAIN, 90).predict(whole, whole.last_day, 90)
    assert np.isfinite(forecast.point).all()
    recent = whole.sales[:, max(days - 28, 0) : days].mean()
    assert 0.5 * recent < forecast.point.mean() < 2 * recent


def test_other_known_future_columns_are_refused(plain: Panel, fitted: DemandModel) -> None:
    other = replace(plain, known=np.zeros((*plain.sales.shape, 1), "f4"), known_names=("promo",))
    with pytest.raises(UserError, match=r"data\.known_future"):
        fitted.predict(other, plain.last_day, 90)


def test_bytes_do_not_depend_on_the_last_bits_of_exp_and_log(plain: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """They differ between processors: numpy has other vectorised ones for AVX-512 than for AVX2."""
    alone = DemandModel.fit(plain, TRAIN, 90).to_bytes()
    rng, changed = np.random.default_rng(0), []

    def unsteady(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            right = np.asarray(function(*arguments, **options))
            off = np.nextafter(right, rng.choice([-np.inf, np.inf], right.shape).astype(right.dtype))
            given = np.where(rng.random(right.shape) < 0.2, off, right) if right.dtype == "f8" else right
            changed.append(bool((given != right).any()))
            return given if given.ndim else given[()]
        return wrapped

    for name in ("exp", "log"):
        monkeypatch.setattr(np, name, unsteady(getattr(np, name)))
    assert DemandModel.fit(plain, TRAIN, 90).to_bytes() == alone
    assert any(changed)


def test_both_members_take_the_number_of_threads() -> None:
    class Counting:
        threads = 0

        def use_threads(self, count: int) -> None:
            self.threads = count

    model = DemandModel.fit(ready(panel(noisy(shaped(4, 200))), 28), TRAIN, 28)
    model.trees, model.direct = Counting(), Counting()
    model.use_threads(3)
    assert (model.trees.threads, model.direct.threads) == (3, 3)
    model.direct = None
    model.use_threads(1)
    assert model.trees.threads == 1
