"""The cleaning rules against plain loops, and their promise: no day depends on a later one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.cleaning import trailing_medians
from demand.cleaning.clean_panel import clean, visible_records
from demand.ingest.records import Records
from demand.panel.panel import CLOSED, FILLED, OBSERVED, OUTLIER, Panel
from tests.demand.cleaning.test_newcomers import loop_newcomers
from tests.support.cleaned import RULES, cleaned
from tests.support.examples import mess

SEEDS = st.integers(0, 2**32 - 1)
ARRAYS = ("sales", "recorded", "status", "known")


def one(values: list[float], known: dict[str, list[float]] | None = None) -> Panel:
    """One cleaned series; NaN is a day without a row."""
    sales = np.array([values], "f4")
    known = known or {}
    grids = np.array([list(known.values())], "f4").transpose(0, 2, 1) if known else np.empty((1, len(values), 0), "f4")
    dates = np.datetime64("2024-01-01") + np.arange(len(values))
    row = ~np.isnan(sales)
    grids[~row] = np.nan
    return cleaned(Records(np.array([1]), np.array([1]), dates, sales, row, grids, tuple(known)))


# ---- the rules as loops over days ----------------------------------------------------------------------------------------


def loop_known(records: Records, series: int, first: int, end: int) -> np.ndarray:
    known, row = records.known[series].copy(), records.row[series]
    for t in range(first, end + 1):
        if not row[t]:
            known[t] = known[t - 7] if t - 7 >= first else known[t - 1]
            if t - 7 >= first and not row[first:t][(np.arange(first, t) - t) % 7 == 0].any() and "open" in records.known_names:
                known[t, records.known_names.index("open")] = 0
    return known


def loop_status(records: Records, series: int, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Status, values and expectations of one series, before outliers; zeros are judged without the days that are `wrong`."""
    sales, days = records.sales[series].astype("f8"), len(records.dates)
    first = int(np.flatnonzero(~np.isnan(sales))[0])
    status, values, expected = np.full(days, 5), sales.copy(), np.full(days, np.nan)
    known = loop_known(records, series, first, days - 1)
    open_index = records.known_names.index("open") if "open" in records.known_names else None
    for t in range(first, days):
        before = range(first, t)
        same = [d for d in before if (t - d) % 7 == 0]
        opened = [d for d in before if status[d] == OBSERVED]
        sold = [sales[d] for d in opened if not wrong[d]]
        missing = math.isnan(sales[t])
        if open_index is not None:
            closed = known[t, open_index] == 0
        elif missing:
            stated = [status[d] == CLOSED for d in same if not math.isnan(sales[d])][-RULES.fill_weeks :]
            closed = sum(stated) > len(stated) / 2 if stated else t - first >= 7
        else:
            unlikely = len(opened) >= 3 and loop_chance(sold) < RULES.closed_probability
            closed = sales[t] == 0 and (not any(sales[d] > 0 for d in opened) or unlikely)
        on_weekday = [sales[d] for d in same if status[d] == OBSERVED][-RULES.fill_weeks :]
        expected[t] = np.median(on_weekday) if on_weekday else np.nan
        recent = [sales[d] for d in before if status[d] == OBSERVED and t - d <= 28]
        fill = expected[t] if on_weekday else np.median(recent) if recent else math.nan
        if closed or (missing and math.isnan(fill)):
            status[t], values[t] = CLOSED, 0
        elif missing:
            status[t], values[t] = FILLED, fill
        else:
            status[t] = OBSERVED
    return status, values, expected


def loop_chance(sold: list[float]) -> float:
    """Probability of a zero in a negative binomial with the faded mean and variance."""
    if not sold:
        return 1.0
    third = sorted(sold)[-3:][0] if len(sold) >= 3 else 0.0
    if third > 0:
        sold = [units for units in sold if units <= 30 * third]
    weights = [math.exp(-age / 28) for age in range(len(sold) - 1, -1, -1)]
    mean = np.average(sold, weights=weights)
    variance = np.average(np.square(sold), weights=weights) - mean**2
    if variance <= mean * (1 + 1e-6):
        return math.exp(-mean)
    size = mean**2 / (variance - mean)
    return (size / (size + mean)) ** size


def loop_limits(records: Records, status: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The highest believable value of each cell, infinite where none is too high."""
    sales, (series, days) = records.sales.astype("f8"), status.shape
    judged = np.zeros(status.shape, bool)
    for s in range(series):
        for t in range(days):
            judged[s, t] = status[s, t] == OBSERVED and expected[s, t] > 0 and sum(status[s, t % 7 : t : 7] == OBSERVED) >= 3
    ratio = np.where(judged, sales / np.where(judged, expected, 1), np.nan)
    usual, upper = np.ones(days), np.ones(days)
    for t in range(days):
        there = sorted(ratio[judged[:, t], t])
        if len(there) >= 5 and np.median(there) > 0:
            usual[t] = np.median(there)
        if len(there) >= 2:
            upper[t] = there[len(there) - 1 - math.ceil(len(there) / 10)]
    excess = ratio / np.maximum(upper, 1)
    residual = 2 * np.sqrt(sales + 3 / 8) - 2 * np.sqrt(expected * usual + 3 / 8)
    plans = [k for k, name in enumerate(records.known_names) if name != "open"]
    limits = np.where(judged & (excess <= RULES.outlier_factor), np.finfo("f4").max, np.inf)
    for s, t in zip(*np.nonzero(excess > RULES.outlier_factor), strict=True):
        season = [d for d in range(max(0, t - 84), t) if judged[s, d]]
        opened = [d for d in range(max(0, t - 84), t) if status[s, d] == OBSERVED]
        if len(season) < 7 or sum(sales[s, d] > 0 for d in opened) < 0.75 * len(opened):
            continue
        raised = max(upper[t], 1)
        for ids in (records.store, records.item):
            peers = [ratio[other, t] for other in range(series) if other != s and ids[other] == ids[s] and judged[other, t]]
            raised = max(raised, np.median(peers)) if peers else raised
        believed = expected[s, t] * raised * max(1, np.median([ratio[s, d] / usual[d] for d in season[-3:]]))
        scale = max(1, 1.4826 * np.median(np.abs(residual[s, season])))
        factor = RULES.outlier_factor
        if plans:
            known = np.array([loop_known(records, s, int(np.flatnonzero(~np.isnan(sales[s]))[0]), days - 1)])[0][:, plans]
            year = [d for d in range(max(0, t - 364), t) if judged[s, d] and (known[d] == known[t]).all()]
            if len(year) >= 3:
                believed *= max(1, np.median(excess[s, year]))
            elif (known[t] != np.nanmedian(known[max(0, t - 84) : t], axis=0)).any():
                factor **= 2
        similar = [d for d in range(max(0, t - 367), t) if judged[s, d] and excess[s, d] >= 0.5 * excess[s, t]]
        if sum(d >= t - 364 for d in similar) < 6 and not any(d <= t - 361 for d in similar):
            limits[s, t] = max(factor * believed, ((2 * math.sqrt(believed + 3 / 8) + RULES.outlier_z * scale) / 2) ** 2 - 3 / 8)
    return limits


@pytest.mark.parametrize("known", [(), ("promo",), ("promo", "open")], ids=["blind", "promo", "open"])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_cleaning_equals_the_rules_written_as_loops(known, seed):
    records = mess(seed, known)
    records, end = visible_records(records, len(records.dates) - 1)
    panel = clean(records, end, RULES)
    wrong = np.zeros(records.sales.shape, bool)
    for _ in range(2):
        parts = [loop_status(records, series, wrong[series]) for series in range(len(records.store))]
        status, values, expected = (np.array(part) for part in zip(*parts, strict=True))
        limits = loop_limits(records, status, expected)
        wrong = (status == OBSERVED) & (records.sales > limits)
        for s, t, believed in loop_newcomers(records, status == OBSERVED, np.isinf(limits)):
            wrong[s, t], limits[s, t] = True, believed
    np.testing.assert_array_equal(panel.status, np.where(wrong, OUTLIER, status))
    np.testing.assert_allclose(panel.sales, np.where(wrong, limits, np.where(status == 5, np.nan, values)), rtol=1e-5)
    np.testing.assert_array_equal(panel.recorded, records.sales)


@pytest.mark.parametrize("known", [(), ("promo", "open")], ids=["blind", "open"])
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, share=st.floats(0, 1))
def test_no_day_depends_on_a_later_one(known, seed, share):
    records = mess(seed, known)
    end = int(share * (len(records.dates) - 1))
    whole = cleaned(records)
    grids = {name: getattr(records, name)[:, : end + 1] for name in ("sales", "row", "known")}
    cut = cleaned(replace(records, dates=records.dates[: end + 1], **grids))
    then = whole.through(records.dates[end])
    assert [*zip(cut.store, cut.item, strict=True)] == [*zip(then.store, then.item, strict=True)]
    days = len(cut.dates)
    for name in ARRAYS:
        assert getattr(then, name)[:, :days].tobytes() == getattr(cut, name).tobytes(), name
    hidden = cleaned(records, end)
    for name in ARRAYS:
        assert getattr(hidden, name)[:, :days].tobytes() == getattr(cut, name).tobytes(), name


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_order_of_the_series_does_not_matter(seed):
    records = mess(seed)
    order = np.random.default_rng(seed).permutation(len(records.store))
    shuffled = replace(records, **{name: getattr(records, name)[order] for name in ("store", "item", "sales", "row", "known")})
    expected, got = cleaned(records), cleaned(shuffled)
    for name in ARRAYS:
        assert getattr(expected, name)[order].tobytes() == getattr(got, name).tobytes(), name


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, weeks=st.integers(1, 9))
def test_weekday_medians_equal_a_loop(seed, weeks):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 50, (3, rng.integers(1, 80))).astype("f4")
    valid = rng.random(values.shape) < rng.choice([0.1, 0.7, 1])
    medians, counts = trailing_medians.weekday_medians(values, valid, weeks)
    for s, t in np.ndindex(values.shape):
        past = values[s, t % 7 : t : 7][valid[s, t % 7 : t : 7]][-weeks:]
        assert counts[s, t] == len(past)
        np.testing.assert_equal(medians[s, t], np.median(past) if len(past) else np.nan)


# ---- by hand -------------------------------------------------------------------------------------------------------------

WEEK = [20.0, 21, 22, 23, 24, 25, 26]
NONE = math.nan


def test_a_gap_longer_than_the_memory_is_filled_from_before_it():
    panel = one(WEEK * 6 + [NONE] * 140 + WEEK)
    assert panel.sales[0, 42:182].tolist() == WEEK * 20
    assert (panel.status[0, 42:182] == FILLED).all()


def test_fills_come_from_the_last_weeks_only_and_shrug_at_an_error():
    panel = one([5.0] * 7 * 10 + [9.0] * 7 * 8 + [NONE] + [9.0] * 6 + [900.0] + [9.0] * 6 + [NONE])
    assert panel.sales[0, 126] == 9
    assert panel.sales[0, 140] == 9


def test_sundays_without_rows_are_closed_from_the_second_week_on():
    week = [*WEEK[:6], NONE]
    panel = one(week * 4 + WEEK)
    assert panel.status[0, 6::7].tolist() == [FILLED, CLOSED, CLOSED, CLOSED, OBSERVED]


def test_a_missing_day_on_a_closed_weekday_is_closed():
    panel = one([*WEEK[:6], 0] * 5 + [*WEEK[:6], NONE])
    assert (panel.status[0, 6::7] == CLOSED).all()
    assert (panel.sales[0, 6::7] == 0).all()


def test_zeros_of_slow_sellers_are_sales_zeros_of_fast_ones_and_leading_ones_are_closed():
    rng = np.random.default_rng(5)
    slow, fast = rng.poisson(2, 100).astype(float), rng.poisson(60, 100).astype(float)
    slow[:3] = [0, 0, 4]
    slow[50] = fast[50] = 0
    panel = one(slow.tolist())
    assert panel.status[0, :3].tolist() == [CLOSED, CLOSED, OBSERVED]
    assert panel.status[0, 50] == OBSERVED
    panel = one(fast.tolist())
    assert panel.status[0, 50] == CLOSED
    assert (panel.status[0] != OBSERVED).sum() == 1


def test_with_open_a_zero_is_a_sale_and_a_closed_day_has_none():
    panel = one([60.0] * 20 + [0, 0, 7, 60], {"open": [1.0] * 20 + [1, 0, 0, 1]})
    assert panel.status[0, 20:].tolist() == [OBSERVED, CLOSED, CLOSED, OBSERVED]
    assert panel.sales[0, 20:].tolist() == [0, 0, 0, 60]
    assert panel.recorded[0, 20:].tolist() == [0, 0, 7, 60]


def test_rows_that_are_missing_take_last_week_s_plan_and_never_opened_sundays_stay_closed():
    values = ([*WEEK[:6], NONE] * 3 + [NONE] * 7) * 2
    panel = one(values, {"open": [1.0] * len(values), "promo": [float(day // 7 % 2) for day in range(len(values))]})
    assert panel.known[0, 6::7, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]  # the first Sunday follows a Saturday
    assert panel.known[0, 21:27, 1].tolist() == panel.known[0, 14:20, 1].tolist()
