"""The factors of an explanation are those of the forecast: their product is it, and each is what its name says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.model.base.level import KINDS
from demand.model.demand_model import DemandModel, read_model
from demand.model.explanation import Explanation, explain
from demand.model.trees.design_matrix import CALENDAR_USED, feature_groups, feature_names
from demand.panel.panel import CLOSED, FUTURE, Panel
from demand.panel.store_events import Event, StoreEvents
from tests.demand.model.test_stored_champions import ORIGIN, RELEASES, STORED, stored_panel
from tests.support.panels import TRAIN, noisy, panel, ready, shaped

DAYS, HORIZON = 600, 28
START = date(2020, 1, 6)
QUICK = TRAIN.model_copy(update={"rows": 1500, "n_estimators": 12})
FEASTS = [date(2020, 5, 1), date(2020, 11, 10), date(2021, 5, 3), date(2021, 9, 5)]  # the last one is forecast


@cache
def eventful(*known: str, plain: bool = False) -> Panel:
    """Seven series in two stores whose promotions, prices and feasts count, with these known-future columns.

    Store 2 is closed on Sundays, Wednesdays are closed where `open` is planned; series 3 went off sale, series 4 never sold.
    `plain`: nothing of that, and no calendar.
    """
    rng, length = np.random.default_rng(0), DAYS + HORIZON
    promo = (rng.random((7, length)) < 0.2).astype("f4")
    cheap = rng.random((7, length)) < 0.1
    cheap[:, 0] = False
    price = rng.uniform(2, 9, (7, 1)) * np.where(cheap, 0.75, 1)
    weekday = np.arange(length) % 7
    plan = {"promo": promo, "price": price, "open": np.ones((7, 1)) * (weekday != 2)}
    mean = shaped(7, length, growth=0.2) * (1 + 0.6 * promo) * (price / price.max(axis=1, keepdims=True)) ** -1.5
    feast = [(day - START).days for day in FEASTS]
    mean[:5, feast] *= 1.8
    if not plain:
        mean[3, 540:], mean[4] = 0, 0
    whole = panel(noisy(mean), known={name: plan[name] for name in known})
    shut = (np.arange(7)[:, None] > 4) & (weekday == 6) & (not plain)
    if "open" in known:
        shut |= weekday == 2
    whole.status[shut], whole.sales[shut], whole.recorded[shut] = CLOSED, 0, 0
    whole.sales[:, DAYS:], whole.recorded[:, DAYS:], whole.status[:, DAYS:] = np.nan, np.nan, FUTURE
    own = tuple(Event(name, day, day + timedelta(days=1), 1, 1) for name in ("Feast", "Fair") for day in FEASTS)
    return whole if plain else replace(whole, events=StoreEvents({1: tuple(sorted(own))}))


@cache
def fitted(whole: str, algorithm: str, base: str) -> tuple[Panel, DemandModel]:
    chosen = PANELS[whole]()
    train = QUICK.model_copy(update={"algorithm": algorithm, "base": base})
    return chosen, DemandModel.fit(chosen, train, HORIZON)


PANELS = {
    "all": lambda: eventful("promo", "price"),
    "planned": lambda: eventful("open", "promo", "price"),
    "plain": lambda: eventful(plain=True),
    "short": lambda: ready(panel(noisy(shaped(4, 50))), HORIZON),
    "nothing sold": lambda: ready(panel(np.zeros((2, 200))), HORIZON),
}


def assert_multiplies(made: Explanation, point: np.ndarray) -> None:
    """The product is the forecast to 1e-6; where that is 0, a factor is."""
    np.testing.assert_allclose(made.forecast, point, rtol=1e-6, atol=0)
    zero = np.any([factor == 0 for factor in made.factors.values()], axis=0)
    np.testing.assert_array_equal(zero, point == 0)
    assert all(np.isfinite(factor).all() and (factor >= 0).all() for factor in made.factors.values())
    total = made.of_sum()
    assert np.prod(list(total.values())) == pytest.approx(float(point.sum(dtype="f8")), rel=1e-6, abs=0)
    assert list(total) == list(made.factors)


@pytest.mark.parametrize("base", ["auto", *KINDS])
@pytest.mark.parametrize("algorithm", ["xgboost", "random_forest"])
def test_the_factors_multiply_to_the_forecast_of_every_base(algorithm: str, base: str) -> None:
    whole, model = fitted("all", algorithm, base)
    made, point = explain(model, whole, whole.last_day, HORIZON), model.predict(whole, whole.last_day, HORIZON).point
    assert_multiplies(made, point)
    assert (point == 0).any()
    assert (point > 0).any()


@settings(deadline=None, max_examples=40)
@given(name=st.sampled_from(list(PANELS)), algorithm=st.sampled_from(["xgboost", "random_forest"]),
       horizon=st.integers(1, HORIZON), data=st.data())
def test_the_factors_multiply_on_any_panel_and_any_days(name: str, algorithm: str, horizon: int, data: st.DataObject) -> None:
    """Any days of a series or of several, beside a forecast of all of them; exact contributions and approximate ones."""
    whole, model = fitted(name, algorithm, "auto")
    first, exact = data.draw(st.integers(1, horizon)), data.draw(st.booleans())
    made = explain(model, whole, whole.last_day, horizon, first, exact=exact)
    assert_multiplies(made, model.predict(whole, whole.last_day, horizon).point[:, first - 1:])
    assert made.first == whole.last_day + first


def test_each_factor_is_what_its_name_says() -> None:
    whole, model = fitted("all", "xgboost", "level")
    factors = explain(model, whole, whole.last_day, HORIZON).factors
    assert list(factors)[:8] == ["level", "growth", "weekday", "month", "covariate:promo", "covariate:price", "event:Fair",
                                 "event:Feast"]
    assert list(factors)[8:] == ["trees:horizon", "trees:calendar", "trees:recent_sales", "trees:past_years",
                                 "trees:covariate:promo", "trees:covariate:price", "trees", "direct_member", "on_sale", "open"]
    recent = whole.sales[:, DAYS - 56:DAYS]
    assert factors["level"][0] == pytest.approx(np.full(HORIZON, recent[0].mean()), rel=0.2)
    assert len(set(factors["level"][0])) == 1
    assert (factors["growth"] == 1).all()
    np.testing.assert_array_equal(factors["weekday"][:, :7], factors["weekday"][:, 7:14])
    promo, price = (whole.known[:, DAYS:, k] for k in (0, 1))
    on, off = (np.unique(factors["covariate:promo"][promo == value]) for value in (1, 0))
    assert (len(on), len(off)) == (1, 1)
    assert on / off == pytest.approx(1.6, rel=0.1)
    low = price < price.max(axis=1, keepdims=True)
    assert factors["covariate:price"][low].min() > factors["covariate:price"][~low].max()
    feast = (FEASTS[-1] - START).days - DAYS
    assert (factors["event:Feast"] * factors["event:Fair"])[0, feast] == pytest.approx(1.8, rel=0.25)
    assert (factors["event:Feast"][5:] == 1).all()
    off_sale = np.flatnonzero((factors["on_sale"] < 0.5).all(axis=1))
    assert off_sale.tolist() == [3]
    assert np.argwhere(factors["open"] == 0).tolist() == [[s, d] for s in (5, 6) for d in range(HORIZON) if (DAYS + d) % 7 == 6]


def test_a_planned_closed_day_is_the_factor_that_is_zero() -> None:
    whole, model = fitted("planned", "xgboost", "auto")
    factors = explain(model, whole, whole.last_day, HORIZON).factors
    np.testing.assert_array_equal(factors["open"], whole.known[:, DAYS:, 0])


@pytest.mark.parametrize("release", RELEASES)
def test_a_stored_champion_is_explained(release: str) -> None:
    path, whole = STORED / release / "model.pkl", stored_panel()
    model = read_model(path.read_bytes(), str(path))
    assert_multiplies(explain(model, whole, ORIGIN, 14), model.predict(whole, ORIGIN, 14).point)


def test_the_trees_part_is_xgboosts_own_contributions() -> None:
    """Their sum is the log of what the trees predict, so nothing but a constant is left over."""
    whole, model = fitted("all", "xgboost", "auto")
    factors = explain(model, whole, whole.last_day, HORIZON, exact=True).factors
    rest = factors["trees"][factors["level"] > 0]
    assert rest == pytest.approx(np.full(rest.shape, rest[0]), rel=1e-5)
    rough = explain(model, whole, whole.last_day, HORIZON, exact=False).factors
    split = [name for name in factors if name.startswith("trees:")]
    both = [np.prod([each[name] for name in split], axis=0) for each in (factors, rough)]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-5)
    assert any((factors[name] != rough[name]).any() for name in split)


def test_features_of_one_subject_stand_together() -> None:
    known = ("promo", "price")
    pairs = list(zip(feature_names(known), feature_groups(known), strict=True))
    assert {group for name, group in pairs if name.startswith("promo")} == {"covariate:promo"}
    assert {group for name, group in pairs if name.startswith(("lag", "rolling", "every"))} == {"recent_sales"}
    assert {group for name, group in pairs if name.endswith(("364", "728")) and "before" in name} == {"past_years"}
    assert {name for name, group in pairs if group == "calendar"} == {*CALENDAR_USED}
    assert [group for name, group in pairs if name == "horizon"] == ["horizon"]


def test_the_factors_of_a_sum_by_hand() -> None:
    made = Explanation(np.datetime64("2024-01-01"), {"level": np.array([[10.0, 30.0]]), "promo": np.array([[2.0, 1.0]]),
                                                     "open": np.array([[1.0, 0.0]])})
    assert made.of_sum() == {"level": 40, "promo": pytest.approx(50 / 40), "open": pytest.approx(20 / 50)}
    shut = replace(made, factors=made.factors | {"promo": np.zeros((1, 2))})
    assert shut.of_sum() == {"level": 40, "promo": 0, "open": 1}
    assert made.forecast.tolist() == [[20, 0]]


def test_one_day_of_one_series_has_its_own_factors() -> None:
    whole, model = fitted("all", "xgboost", "auto")
    made = explain(model, whole, whole.last_day, 9, 9)
    one = Explanation(made.first, {name: factor[:1] for name, factor in made.factors.items()})
    assert one.of_sum() == pytest.approx({name: float(factor[0, 0]) for name, factor in made.factors.items()}, rel=1e-12)


def test_a_forest_s_zero_that_the_direct_member_undoes() -> None:
    whole, model = fitted("plain", "random_forest", "level")
    silent = DemandModel.from_bytes(model.to_bytes())
    silent.trees.arrays["value"] = np.zeros_like(silent.trees.arrays["value"])
    silent.direct, silent.facts["direct_share"] = model.trees, 0.25
    made, point = explain(silent, whole, whole.last_day, HORIZON), silent.predict(whole, whole.last_day, HORIZON).point
    assert (point > 0).all()
    assert_multiplies(made, point)
    silent.direct = None
    nothing = explain(silent, whole, whole.last_day, HORIZON)
    assert (nothing.factors["trees"] == 0).all()
    assert_multiplies(nothing, silent.predict(whole, whole.last_day, HORIZON).point)
