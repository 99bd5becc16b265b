"""Orders against a policy in plain loops, and against what simulated demand says of the service level."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from demand.distribution.joint_error import JointError
from demand.planning.orders import KEYS, OrderTerms, order_quantities, plan_orders, wrong_terms

HORIZON = 28
POISSON = JointError(1.0, np.zeros((4, 4)), 1e9, whole=True)


def terms(series: int = 1, **changes: object) -> OrderTerms:
    plain = {"lead_time": 3, "review_period": 7, "service_level": 0.95, "on_hand": 0, "on_order": 0, "pack_size": np.nan,
             "minimum_order": 0}
    assert tuple(plain) == KEYS
    return OrderTerms(**{key: np.resize(np.array(value, "f8"), series) for key, value in (plain | changes).items()})


def codes(series: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(series) // 3, np.arange(series) % 3


@pytest.mark.parametrize("daily", [0.01, 0.3, 1.9, 2.1, 9.0, 70.0])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.98])
def test_the_level_is_the_least_stock_that_serves(daily: float, level: float) -> None:
    """Poisson demand over 3 + 7 days; above 20 units the gamma distribution is at most a unit off."""
    plan = plan_orders(POISSON, np.full((1, HORIZON), daily), *codes(1), terms(service_level=level))
    expected = stats.poisson(10 * daily).ppf(level)
    assert plan.forecast[0] == pytest.approx(10 * daily)
    assert abs(plan.order_up_to[0] - expected) <= (10 * daily > 20)
    assert plan.quantity[0] == plan.order_up_to[0]


def test_large_means_keep_their_service_level() -> None:
    """On average over many: rounded to the inside of an interval, they would miss it by half a unit each."""
    mean = np.linspace(20.5, 40, 400)
    plan = plan_orders(POISSON, np.repeat(mean[:, None] / 10, HORIZON, axis=1), *codes(400), terms(400, service_level=0.9))
    served = stats.poisson(mean).cdf(plan.order_up_to)
    assert served.mean() == pytest.approx(stats.poisson(mean).cdf(stats.poisson(mean).ppf(0.9)).mean(), abs=0.004)
    assert served.min() > 0.893


def test_each_series_has_its_own_terms() -> None:
    """All of them at once are what each of them is alone."""
    rng = np.random.default_rng(0)
    n = 40
    error = JointError(1.3, rng.gamma(1, 0.005, (4, 4)), 9.0, whole=True)
    units = rng.gamma(1, 4, (n, HORIZON))
    own = OrderTerms(rng.integers(0, 10, n).astype(float), rng.integers(1, 10, n).astype(float), rng.uniform(0.5, 0.99, n),
                     rng.integers(-5, 60, n).astype(float), rng.integers(0, 9, n).astype(float),
                     np.where(rng.random(n) < 0.5, rng.integers(1, 13, n), np.nan), rng.integers(0, 30, n).astype(float))
    store, item = codes(n)
    plan = plan_orders(error, units, store, item, own)
    for s in range(n):
        alone = plan_orders(error, units[s:s + 1], store[s:s + 1], item[s:s + 1],
                            OrderTerms(*(getattr(own, key)[s:s + 1] for key in KEYS)))
        for name in ("forecast", "order_up_to", "quantity"):
            np.testing.assert_allclose(getattr(alone, name)[0], getattr(plan, name)[s], rtol=1e-9)


def quantity(level: float, on_hand: float, on_order: float, pack: float | None, minimum: float) -> float:
    """The independent oracle: add packs until stock reaches the level and the order its minimum."""
    missing = level - on_hand - on_order
    if missing <= 0:
        return 0.0
    if pack is None:
        return max(missing, minimum)
    packs = 0
    while packs * pack < max(missing, minimum):
        packs += 1
    return packs * pack


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(-20, 200), st.integers(0, 100), st.none() | st.integers(1, 50), st.integers(0, 60))
def test_quantities_are_the_first_that_reach_the_level(level: int, on_hand: int, on_order: int, pack: int | None,
                                                       minimum: int) -> None:
    own = terms(on_hand=on_hand, on_order=on_order, pack_size=math.nan if pack is None else pack, minimum_order=minimum)
    assert order_quantities(np.array([level]), own)[0] == quantity(level, on_hand, on_order, pack, minimum)


def test_packs_of_a_fraction_are_counted_exactly() -> None:
    assert order_quantities(np.array([1.1]), terms(pack_size=0.1))[0] == pytest.approx(1.1)
    assert order_quantities(np.array([1.11]), terms(pack_size=0.1))[0] == pytest.approx(1.2)


def test_more_service_and_longer_waits_never_take_less() -> None:
    error = JointError(1.3, np.full((4, 4), 0.002), 9.0, whole=True)
    units = np.full((30, HORIZON), 3.0)
    for changes in ({"service_level": np.linspace(0.01, 0.999, 30)}, {"lead_time": np.arange(30) % 21}):
        own = terms(30, **changes)
        order = np.lexsort((own.service_level, own.lead_time))
        level = plan_orders(error, units, *codes(30), own).order_up_to[order]
        assert (np.diff(level) >= 0).all()


def test_nothing_is_ordered_where_nothing_sells() -> None:
    plan = plan_orders(POISSON, np.zeros((2, HORIZON)), *codes(2), terms(2, minimum_order=10))
    assert not plan.quantity.any()


def test_the_share_of_cycles_without_a_stock_out_is_the_service_level() -> None:
    """Day by day: an order every 5 days that arrives after 2, unmet demand waits; demand has the errors of the model."""
    rng = np.random.default_rng(1)
    lead, review, cycles, daily, n = 2, 5, 60, 6.0, 200
    plan = plan_orders(POISSON, np.full((n, HORIZON), daily), *codes(n), terms(n, lead_time=lead, review_period=review))
    stock, on_order, due = plan.order_up_to.copy(), np.zeros(n), {}
    out, served = np.zeros(n, bool), []
    for day in range(cycles * review):
        if day % review == 0:
            own = terms(n, lead_time=lead, review_period=review, on_hand=stock, on_order=on_order)
            due[day + lead] = order_quantities(plan.order_up_to, own)
            on_order = on_order + due[day + lead]
        if day in due:  # it is there before the day's sales, and ends a cycle
            if day > 2 * review:
                served.append(~out)
            out = np.zeros(n, bool)
            stock, on_order = stock + due[day], on_order - due[day]
        stock = stock - rng.poisson(daily, n)
        out |= stock < 0
    reached = np.mean(served)
    exact = stats.poisson(daily * (lead + review)).cdf(plan.order_up_to[0])
    assert exact >= 0.945
    assert reached == pytest.approx(exact, abs=0.012)


@pytest.mark.parametrize(("changes", "key", "says"), [
    ({"lead_time": 2.5}, "lead_time", "2.5 must be whole days"),
    ({"lead_time": -1}, "lead_time", "-1 must be whole days, 0 or more"),
    ({"review_period": 0}, "review_period", "0 must be whole days, 1 or more"),
    ({"lead_time": 22}, "lead_time", "22 and the review period are more than the 28 days"),
    ({"service_level": 95}, "service_level", "0.95 not to run out in 95 %"),
    ({"service_level": 1}, "service_level", "probability"),
    ({"on_hand": np.inf}, "on_hand", "inf must be units"),
    ({"on_order": -1}, "on_order", "-1 must be units, 0 to"),
    ({"pack_size": 0}, "pack_size", "more than 0"),
    ({"minimum_order": -2}, "minimum_order", "-2 must be units"),
    ({"service_level": np.nan}, "service_level", "nan must be"),
])
def test_what_cannot_be_used_is_named(changes: dict[str, float], key: str, says: str) -> None:
    right, wrong = terms(3), terms(1, **changes)
    mixed = replace(right, **{key: np.array([getattr(right, key)[0], getattr(wrong, key)[0], getattr(right, key)[0]])})
    assert wrong_terms(right, HORIZON) == []
    ((named, row, message),) = wrong_terms(mixed, HORIZON)
    assert (named, row) == (key, 1)
    assert says in message
