"""Effects of holidays and events against generators whose effects are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.model.base.calendar_effect import CalendarEffect
from demand.model.base.closing_probability import chance_of_closing
from demand.model.base.factors import fit_factors
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from demand.panel.store_events import Event, StoreEvents
from tests.support.panels import TRAIN, closed, noisy, panel, shaped

START = date(2020, 1, 6)
DAYS = 1460
FEAST = [date(2020, 4, 12), date(2021, 4, 4), date(2022, 4, 17), date(2023, 4, 9), date(2024, 3, 31)]  # moves through the year
EFFECT = {-2: 0.3, -1: 0.6, 0: -0.5, 1: -0.2}


def feast(name: str, days: list[date], before: int = 3, after: int = 2) -> tuple[Event, ...]:
    return tuple(Event(name, day, day, before, after) for day in days)


def position(day: date) -> int:
    return (day - START).days


def curve(days: list[date], effect: dict[int, float] = EFFECT, length: int = DAYS) -> np.ndarray:
    """(D,) log effect."""
    log = np.zeros(length)
    for day in days:
        for away, value in effect.items():
            if 0 <= position(day) + away < length:
                log[position(day) + away] += value
    return log


def with_events(plain: Panel, *events: Event) -> Panel:
    return replace(plain, events=StoreEvents(dict.fromkeys(np.unique(plain.store).tolist(), tuple(sorted(events)))))


def learned(effect: CalendarEffect | None, name: str) -> dict[str, float]:
    assert effect
    return {place: float(log) for (event, place), log in zip(effect.labels, effect.pooled, strict=True) if event == name}


def test_the_effect_of_a_moving_feast_is_found_aligned_at_its_day():
    sales = noisy(10 * shaped(10, DAYS) * np.exp(curve(FEAST)))
    found = learned(fit_factors(with_events(panel(sales), *feast("feast", FEAST))).calendar, "feast")
    for away in range(-3, 3):
        place = f"{away:+d}" if away else "0"
        assert found[place] == pytest.approx(EFFECT.get(away, 0.0), abs=0.06), place


def test_a_forecast_from_before_a_feast_knows_it():
    sales = noisy(10 * shaped(10, DAYS + 200) * np.exp(curve(FEAST, length=DAYS + 200)))
    whole = with_events(panel(sales), *feast("feast", FEAST))
    origin = np.datetime64("2024-03-01")
    near = slice(position(FEAST[-1]) - 2, position(FEAST[-1]) + 2)
    errors = {}
    for known in (whole, replace(whole, events=None)):
        past = known.through(origin)
        forecast = DemandModel.fit(past, TRAIN, 60).predict(past, origin, 60).point
        ahead = slice(near.start - past.column(origin) - 1, near.stop - past.column(origin) - 1)
        errors[known.events is None] = np.abs(forecast[:, ahead] - sales[:, near]).sum() / sales[:, near].sum()
    assert errors[False] < 0.5 * errors[True]
    assert errors[False] < 0.12


def test_what_the_month_and_the_weekday_carry_is_not_counted_twice():
    """Without any effect none is found, although the feast always falls in one month and on one weekday."""
    same = [date(2020, 12, 25) + timedelta(days=364 * year) for year in range(4)]
    sales = noisy(10 * shaped(10, DAYS))
    whole = with_events(panel(sales), *feast("feast", same, 10, 3))
    factors = fit_factors(whole)
    assert max(map(abs, learned(factors.calendar, "feast").values())) < 0.03
    with_effect = noisy(10 * shaped(10, DAYS) * np.exp(curve(same)))
    factors = fit_factors(with_events(panel(with_effect), *feast("feast", same, 10, 3)))
    near = np.isin(np.arange(DAYS), [position(day) + away for day in same for away in range(-10, 4)])
    expected = factors.scale[:, None] * factors.seasonal_factor(with_events(panel(with_effect), *feast("feast", same, 10, 3)))
    mean = 10 * shaped(10, DAYS) * np.exp(curve(same))
    assert (expected[:, near].sum() / mean[:, near].sum()) == pytest.approx(1, abs=0.03)
    december = np.array([str(day)[5:7] == "12" for day in whole.dates]) & ~near
    assert (expected[:, december].sum() / mean[:, december].sum()) == pytest.approx(1, abs=0.03)


def test_two_events_on_one_day_share_what_happens_on_it():
    sales = noisy(10 * shaped(10, DAYS) * np.exp(curve(FEAST)))
    both = with_events(panel(sales), *feast("one", FEAST), *feast("other", FEAST))
    factors = fit_factors(both)
    for away in range(-3, 3):
        place = f"{away:+d}" if away else "0"
        total = learned(factors.calendar, "one")[place] + learned(factors.calendar, "other")[place]
        assert total == pytest.approx(EFFECT.get(away, 0.0), abs=0.06), place


def test_items_differ_and_a_new_item_takes_the_pooled_effect():
    own = np.where(panel(np.ones((20, DAYS))).item % 2 == 0, 0.8, 0.0)
    sales = noisy(10 * shaped(20, DAYS) * np.exp(own[:, None] * curve(FEAST, {0: 1.0})))
    whole = with_events(panel(sales), *feast("feast", FEAST))
    factors = fit_factors(whole)
    day = position(FEAST[2])
    ratio = np.log(factors.seasonal_factor(whole)[:, day] / factors.seasonal_factor(replace(whole, events=None))[:, day])
    assert ratio[own > 0] == pytest.approx(0.8, abs=0.1)
    assert ratio[own == 0] == pytest.approx(0.0, abs=0.1)
    stranger = replace(whole, item=whole.item + 100)
    pooled = factors.seasonal_factor(stranger)[:, day] / factors.seasonal_factor(replace(stranger, events=None))[:, day]
    assert np.ptp(pooled) < 1e-6
    assert 0 < np.log(pooled[0]) < 0.8


def test_once_and_noisy_is_believed_less_than_often_and_clear():
    once, often = (fit_factors(with_events(panel(noisy(shaped(2, DAYS) * np.exp(curve(days, {0: 0.5})), seed=3)),
                                           *feast("feast", days))).calendar for days in (FEAST[:1], FEAST[:4]))
    assert abs(learned(often, "feast")["0"] - 0.5) < abs(learned(once, "feast")["0"] - 0.5) + 0.05
    quiet = fit_factors(with_events(panel(noisy(shaped(2, DAYS))), *feast("feast", FEAST[:1], 30, 30))).calendar
    assert max(map(abs, learned(quiet, "feast").values())) < 0.05


def test_only_the_stores_that_have_an_event_feel_it():
    sales = noisy(10 * shaped(10, DAYS) * np.exp(np.repeat([[1.0], [0.0]], 5, axis=0) * curve(FEAST)))
    whole = replace(panel(sales), events=StoreEvents({1: feast("feast", FEAST)}))
    factors = fit_factors(whole)
    change = factors.seasonal_factor(whole) / factors.seasonal_factor(replace(whole, events=None))
    assert (change[5:] == 1).all()
    assert np.log(change[:5, position(FEAST[1]) - 1]) == pytest.approx(0.6, abs=0.08)


def test_series_order_and_scale_do_not_matter():
    whole = with_events(panel(noisy(10 * shaped(10, DAYS) * np.exp(curve(FEAST)))), *feast("feast", FEAST))
    shuffle = np.random.default_rng(0).permutation(10)
    turned = replace(whole, **{name: getattr(whole, name)[shuffle] for name in ("store", "item", "sales", "recorded", "status",
                                                                                "known")})
    one, other = (fit_factors(each).calendar for each in (whole, turned))
    assert learned(one, "feast") == pytest.approx(learned(other, "feast"), abs=1e-5)


def test_without_events_nothing_changes_to_the_bit():
    plain = panel(noisy(shaped(5, 700)))
    none = replace(plain, events=StoreEvents({}))
    assert fit_factors(plain).calendar is None
    for name in ("scale", "weekday", "month", "exposure", "dispersion"):
        np.testing.assert_array_equal(getattr(fit_factors(plain), name), getattr(fit_factors(none), name))


def test_a_model_keeps_its_effects_in_its_bytes():
    past = with_events(panel(noisy(shaped(6, 800))), *feast("feast", FEAST[:3]))
    model = DemandModel.fit(past, TRAIN, 28)
    again = DemandModel.from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    ahead = past.extended(28)
    np.testing.assert_array_equal(again.predict(ahead, past.last_day, 28).point, model.predict(ahead, past.last_day, 28).point)
    assert again.factors.calendar
    assert again.factors.calendar.labels == model.factors.calendar.labels  # type: ignore[union-attr]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 699), min_size=1, max_size=6, unique=True), st.integers(0, 9), st.integers(0, 5))
def test_any_events_give_finite_factors(days: list[int], before: int, after: int):
    events = [Event("feast", START + timedelta(day), START + timedelta(day + day % 3), before, after) for day in days]
    factors = fit_factors(with_events(panel(noisy(0.2 * shaped(4, 700) / 50)), *events))
    assert factors.calendar
    for values in (factors.calendar.pooled, factors.calendar.by_item, factors.calendar.by_store, factors.scale):
        assert np.isfinite(values).all()


def test_a_store_closed_on_a_moving_holiday_is_closed_on_it_again():
    shut = np.isin(np.arange(DAYS), [position(day) for day in FEAST])
    plain = panel(noisy(shaped(10, DAYS)))
    whole = closed(plain, shut)
    status, sales = plain.status.copy(), plain.sales.copy()
    status[:5], sales[:5] = whole.status[:5], whole.sales[:5]
    half = replace(plain, status=status, sales=sales, recorded=sales.copy()).extended(120)  # store 2 opens
    origin = position(date(2024, 1, 4))
    chance = chance_of_closing(with_events(half, *feast("feast", FEAST)), origin, 100)
    at = position(FEAST[-1]) - origin - 1
    assert (chance[:5, at] == 1).all()
    assert (chance[5:, at] == 0).all()
    assert not np.delete(chance, at, axis=1).any()
    stranger = replace(half, store=np.where(half.store == 2, 9, 1))
    assert chance_of_closing(with_events(stranger, *feast("feast", FEAST)), origin, 100)[:5, at].all()


def test_a_store_that_has_come_to_open_on_a_holiday_stays_open():
    shut = np.isin(np.arange(DAYS), [position(day) for day in FEAST[:2]])
    late = closed(panel(noisy(shaped(5, DAYS))), shut).extended(120)
    origin = position(date(2024, 1, 4))
    chance = chance_of_closing(with_events(late, *feast("feast", FEAST)), origin, 100)
    assert (chance[:, position(FEAST[-1]) - origin - 1] < 0.5).all()


def test_a_feast_seen_once_is_believed_less_where_any_day_varies_as_much():
    wild = 0.3 * np.random.default_rng(4).standard_normal(DAYS)
    factors = fit_factors(with_events(panel(noisy(10 * shaped(10, DAYS) * np.exp(wild))), *feast("feast", FEAST[1:2], 7, 3)))
    near = wild[position(FEAST[1]) - 7:position(FEAST[1]) + 4]
    assert sum(map(abs, learned(factors.calendar, "feast").values())) < 0.4 * np.abs(near).sum()
