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
    """10 a day, one week and 3 days protected: 100 units never run out, 99 lose one unit in each cycle."""
    sales = np.full((2, 70), 10.0)
    enough = simulate(np.full((10, 2), 100.0), sales, lead_time=3)
    assert (enough.service, enough.lost) == (100.0, 0.0)
    assert enough.stock == pytest.approx(2 * np.mean([60, 50, 40, 30, 20, 10, 0]), rel=0.05)  # not whole weeks
    one_less = simulate(np.full((10, 2), 99.0), sales, lead_time=3)
    assert (one_less.service, one_less.lost) == (0.0, pytest.approx(100 / 70, rel=0.05))


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
