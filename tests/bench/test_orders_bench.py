"""Replayed orders: stock day by day beside a hand-made case, and levels from the methods on a small panel."""

from __future__ import annotations

import numpy as np
import pytest

from bench.cases import params
from bench.orders.__main__ import replay, stock_at, summary
from bench.orders.levels import METHODS, Levels, weekly_levels
from bench.orders.orders_report import markdown
from bench.orders.simulate import simulate
from tests.support.panels import TRAIN, noisy, panel, shaped


def test_constant_sales_are_served_exactly():
    """10 a day, one week and 3 days protected: 100 units never run out, 99 do."""
    sales = np.full((2, 70), 10.0)
    enough = simulate(np.full((10, 2), 100.0), sales, lead_time=3)
    assert (enough.service, enough.lost) == (100.0, 0.0)
    assert enough.stock == pytest.approx(2 * np.mean([60, 50, 40, 30, 20, 10, 0]), rel=0.05)  # not whole weeks
    assert simulate(np.full((10, 2), 99.0), sales, lead_time=3).service < 100


@pytest.mark.parametrize("lead_time", [0, 3, 10])
def test_stock_is_that_of_a_shop_that_keeps_a_list_of_its_orders(lead_time: int):
    rng = np.random.default_rng(lead_time)
    levels, sales = rng.uniform(20, 120, (12, 3)), rng.poisson(8, (3, 84)).astype(float)
    served = cycles = lost = asked = held = 0.0
    for s in range(3):
        stock, orders, week_served = levels[0, s], [], True
        for day in range(84):
            if day % 7 == 0:
                orders.append((day + lead_time, max(levels[day // 7, s] - stock - sum(n for _, n in orders), 0)))
            stock += sum(n for at, n in orders if at == day)
            orders = [(at, n) for at, n in orders if at > day]
            sold = min(stock, sales[s, day])
            week_served &= sold == sales[s, day]
            lost, asked = (lost + sales[s, day] - sold, asked + sales[s, day]) if day >= lead_time + 7 else (lost, asked)
            stock -= sold
            held += stock * (day >= lead_time + 7)
            if day >= lead_time + 6 and (day - lead_time - 6) % 7 == 0:  # the last day of a cycle; the first one is warming up
                cycles, served = (cycles + 1, served + week_served) if day > lead_time + 6 else (cycles, served)
                week_served = True
    found = simulate(levels, sales, lead_time)
    assert found.service == pytest.approx(100 * served / cycles)
    assert found.lost == pytest.approx(100 * lost / asked)
    assert found.stock == pytest.approx(held / (84 - lead_time - 7))


def test_unknown_days_ask_for_nothing():
    assert simulate(np.full((6, 1), 5.0), np.full((1, 42), np.nan), lead_time=0).service == 100


def test_stock_at_a_service_that_is_not_reached_is_unknown():
    curve = [{"service": 80.0, "stock": 100.0}, {"service": 90.0, "stock": 120.0}]
    assert stock_at(curve, 85) == pytest.approx(110)
    assert np.isnan(stock_at(curve, 95))


def test_levels_of_every_method_and_the_report():
    sold = panel(noisy(shaped(4, 800)))
    settings = params().model_copy(update={"train": TRAIN})
    first, weeks, services = sold.last_day - 56, 8, (0.5, 0.9, 0.95, 0.98)
    levels = Levels((3, 10), services)
    said: list[str] = []
    weekly_levels(sold, settings, first, weeks, levels, said.append)
    assert len(said) == 2  # a model every fourth week
    assert len(levels.found) == len(METHODS) * 2 * len(services)
    for lead_time in (3, 10):
        joint, daily, _ = (np.array(levels.found[method, lead_time, 0.95]) for method in METHODS)
        assert joint.shape == (weeks, 4)
        assert (joint < daily).all()  # the days' own quantiles added up are more than the quantile of their sum
        assert (np.array(levels.found[METHODS[0], lead_time, 0.9]) < joint).all()
    curves = replay(sold, levels, first)
    assert all(len(curve) == len(services) for curve in curves.values())
    assert "| 10 | 98 % |" in markdown({"machine": "", "title": "", "weeks": weeks, "first": str(first), "curves": curves,
                                        "rows": summary(curves, services)})
