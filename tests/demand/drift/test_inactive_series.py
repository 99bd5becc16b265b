"""Data problems are no drift: series that stop selling, days without values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.backtest.residuals import MIN_EXPECTED_UNITS
from demand.drift import inactive_series
from demand.panel.panel import CLOSED, FILLED
from tests.support.panels import closed, noisy, panel, ready, shaped
from tests.support.residuals import RULES


def silenced(days: int, rows: list[int], status: int = CLOSED):
    whole = ready(panel(noisy(shaped(10, 400))))
    sales, recorded, states = whole.sales.copy(), whole.recorded.copy(), whole.status.copy()
    cut = slice(400 - days, 400)
    sales[rows, cut], recorded[rows, cut], states[rows, cut] = 0, 0 if status == CLOSED else np.nan, status
    return replace(whole, sales=sales, recorded=recorded, status=states)


def test_a_store_and_a_series_that_fell_silent_are_data_problems():
    whole = silenced(9, [0, 1, 2, 3, 4, 7])
    found = inactive_series.find_inactive(whole, whole.last_day, RULES.silent_days)
    assert np.flatnonzero(found.inactive).tolist() == [0, 1, 2, 3, 4, 7]
    said, = inactive_series.problems(whole, found, whole.last_day)
    assert said.startswith("no sales where some were expected: store 1 since 2021-01-30, store 2, item 3 since 2021-01-30. "
                           "Closed")


def test_silence_that_is_short_planned_or_chance_is_none():
    whole = silenced(6, [0])
    assert not inactive_series.find_inactive(whole, whole.last_day, 7).inactive.any()
    whole = silenced(9, [0])
    planned = np.where(whole.status == CLOSED, 0.0, 1.0)[:, :, None]
    whole = replace(whole, known=planned.astype("f4"), known_names=("open",))
    assert not inactive_series.find_inactive(whole, whole.last_day, 7).inactive.any()
    rare = ready(panel((np.arange(400) % 20 == 0)[None].astype(float)))
    assert not inactive_series.find_inactive(rare, rare.last_day, 7).inactive.any()


def test_silence_by_loops():
    rng = np.random.default_rng(22)
    for _ in range(20):
        sales = rng.poisson(rng.choice([0.3, 3, 30], (12, 1)), (12, 420)).astype(float)
        for s in range(12):
            sales[s, 420 - rng.integers(0, 30):] = 0
        whole = closed(ready(panel(sales)), np.arange(510) % 7 == 6)
        found = inactive_series.find_inactive(whole, whole.dates[415], 7)
        for s in range(12):
            sold = [d for d in range(50, 416) if whole.recorded[s, d] > 0]
            if not sold:
                assert not found.inactive[s]
                continue
            traded = [whole.sales[s, d] for d in range(max(sold[-1] + 1 - inactive_series.BEFORE, 0), sold[-1] + 1) if d % 7 != 6]
            due = np.mean(traded) * (415 - sold[-1])
            assert found.inactive[s] == (415 - sold[-1] >= 7 and due >= MIN_EXPECTED_UNITS)
            assert found.last_sale[s] == whole.dates[sold[-1] if found.inactive[s] or 415 - sold[-1] >= 7 else 415]


def test_days_without_values_are_a_data_problem_when_they_are_many():
    whole = silenced(6, list(range(10)), FILLED)
    found = inactive_series.find_inactive(whole, whole.last_day, 7)
    said, = inactive_series.problems(whole, found, whole.last_day)
    assert said.startswith("43% of the last 14 days have no value and were filled")
    few = silenced(6, [1, 2], FILLED)
    assert inactive_series.problems(few, inactive_series.find_inactive(few, few.last_day, 7), few.last_day) == []
