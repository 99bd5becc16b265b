"""The design matrix against plain loops, and against the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.trees.design_matrix import EFFECT_DAYS, FLOOR, DesignMatrix, feature_names
from demand.panel.lag_features import LAGS, WINDOWS
from demand.panel.panel import FILLED, Panel
from demand.panel.running_sums import between, running_sums, strided_sums
from tests.support.panels import closed, noisy, panel, ready, shaped


@pytest.fixture(scope="module")
def messy() -> Panel:
    """Closed Sundays, a promotion every other week, filled days, in five series of 800 days."""
    rng = np.random.default_rng(3)
    mean = shaped(5, 800)
    promo = np.broadcast_to((np.arange(800) % 14 < 5).astype("f4"), mean.shape)
    whole = closed(panel(noisy(mean), known={"promo": promo}), np.arange(800) % 7 == 6)
    status = whole.status.copy()
    status[rng.random(status.shape) < 0.05] = FILLED
    return ready(replace(whole, status=status))


def by_hand(whole: Panel, shape: np.ndarray, s: int, o: int, h: int, level: float) -> dict[str, float]:
    """Some columns of one row, by loops over days."""
    t = o + h

    def mean(days: list[int]) -> float:
        days = [d for d in days if 0 <= d <= o and whole.trading[s, d]]
        return sum(whole.sales[s, d] for d in days) / sum(shape[s, d] for d in days) if days else np.nan

    def log(value: float) -> float:
        return np.log(max(value, FLOOR))

    row = {"horizon": h, "dayofweek": t % 7}
    row |= {f"lag_{k}": log(whole.sales[s, o + 1 - k] / shape[s, o + 1 - k] / level) for k in LAGS}
    row |= {f"rolling_mean_{w}": log(mean(list(range(o + 1 - w, o + 1))) / level) for w in WINDOWS}
    for step, n in ((7, 1), (7, 8), (14, 3)):
        known = [d for d in range(t, -1, -step) if d <= o][:n]
        row[f"every_{step}_mean_{n}"] = log(mean(known) / level)
    past = mean(list(range(o + 1 - 364 - 56, o + 1 - 364)))
    row["day_before_364"] = log(mean([t - 364]) / past)
    row["week_before_364"] = log(mean(list(range(t - 367, t - 360))) / past)
    row["level_before_364"] = log(level / past)
    promo = whole.known[s, :, 0]
    row |= {"promo": promo[t], "promo_tomorrow": promo[t + 1], "promo_week_before": promo[t - 7 : t].sum()}
    row["promo_on"] = log(mean([d for d in range(o + 1 - EFFECT_DAYS, o + 1) if promo[d] > 0]) / level)
    return row


def test_rows_against_loops(messy: Panel) -> None:
    shape = np.random.default_rng(0).uniform(0.5, 2, messy.sales.shape).astype("f4")
    design, names = DesignMatrix(SeasonalSums(messy, shape)), feature_names(("promo",))
    rng = np.random.default_rng(1)
    series, origin, horizon = rng.integers(0, 5, 60), rng.integers(430, 700, 60), rng.integers(1, 91, 60)
    level = rng.uniform(10, 90, 60)
    matrix = design.rows(series, origin, horizon, level)
    assert matrix.shape == (60, len(names))
    assert matrix.dtype == np.float32
    for row, (s, o, h, lv) in zip(matrix, zip(series, origin, horizon, level, strict=True), strict=True):
        for name, value in by_hand(messy, shape, int(s), int(o), int(h), float(lv)).items():
            np.testing.assert_allclose(row[names.index(name)], value, rtol=2e-4, atol=2e-4, err_msg=f"{name} {s} {o} {h}")


@pytest.mark.parametrize("horizon", [1, 13, 90, 400])
def test_nothing_after_the_origin_is_read(messy: Panel, horizon: int) -> None:
    messy = ready(messy, 400)
    origin = 600
    spoiled = messy.sales.copy()
    spoiled[:, origin + 1 :] = 1e5
    status = messy.status.copy()
    status[:, origin + 1 :] = FILLED
    other = replace(messy, sales=spoiled, recorded=spoiled, status=status)
    shape = np.ones(messy.sales.shape, "f4")
    i, o, h, level = np.arange(5), np.full(5, origin), np.full(5, horizon), np.full(5, 30.0)
    a, b = (DesignMatrix(SeasonalSums(whole, shape)).rows(i, o, h, level) for whole in (messy, other))
    np.testing.assert_array_equal(a, b)


def test_running_and_strided_sums_against_loops() -> None:
    values = np.random.default_rng(0).uniform(0, 5, (3, 40)).astype("f4")
    np.testing.assert_allclose(running_sums(values)[:, 17], values[:, :17].sum(axis=1), rtol=1e-6)
    for step in (7, 14):
        for day in (0, 6, 20, 39):
            np.testing.assert_allclose(strided_sums(values, step)[:, day], values[:, day::-step].sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize(("start", "stop"), [(3, 9), (-5, 4), (0, 40), (35, 60), (-9, -2), (50, 60), (8, 5)])
def test_sums_between_two_days_against_a_loop(start: int, stop: int) -> None:
    values = np.random.default_rng(0).uniform(0, 5, (3, 40)).astype("f4")
    expected = [sum(row[day] for day in range(start, stop) if 0 <= day < 40) for row in values.astype("f8")]
    for series, first, last in ((slice(None), start, stop), (np.arange(3), np.full(3, start), np.full(3, stop))):
        np.testing.assert_allclose(between(series, first, last, running_sums(values))[0], expected)
