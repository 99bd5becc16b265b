"""The judgement: chance and season are let pass, shifts that matter are found and named, a broken feed is no drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import comb

import numpy as np
import pytest

from demand.backtest.residuals import Residuals
from demand.backtest.segments import Deviations
from demand.drift import report_page
from demand.drift.decision import judge
from demand.drift.findings import Finding, Verdict, drifted
from demand.drift.group_test import TAIL_PROBABILITY, group_test
from demand.drift.measures import ERROR, LEVEL, Measure
from demand.drift.reasons import reasons
from demand.drift.summary import FIGURES, figures
from demand.drift.summary_record import DriftSummary
from tests.support.residuals import FIRST, RULES, SIZE, normal, outcome, series


def judged(seen: Residuals, **spread: float) -> dict[tuple[str, str], Finding]:
    """Findings by kind and what; of two windows the longer."""
    return {(found.kind, found.what): found for found in reversed(judge(seen, normal(**spread), RULES))}


def test_chance_is_let_pass():
    rng = np.random.default_rng(0)
    assert sum(drifted(judge(outcome(rng, wave=0.5), normal(), RULES)) for _ in range(200)) == 0


def test_a_season_with_wider_intervals_is_let_pass_and_the_same_errors_without_them_are_not():
    rng = np.random.default_rng(1)
    seen = outcome(rng, noise=1.8)
    assert drifted(judge(seen, normal(), RULES))
    assert not drifted(judge(replace(seen, sd=1.8 * seen.sd), normal(), RULES))


def test_what_the_backtest_was_off_by_is_normal():
    seen = outcome(np.random.default_rng(2), factor=1.2)
    assert drifted(judge(seen, normal(), RULES))
    level = [found for found in judge(seen, normal(level=0.06, error=0.3), RULES) if found.what == LEVEL]
    assert not drifted(level)


@pytest.mark.parametrize("change", [1.25, 0.75])
@pytest.mark.parametrize(("where", "kind", "names"), [
    (series(*range(40)), "everything", ["everything"]),
    (series(*range(8)), "store", ["store 1"]),
    (series(*range(2, 40, 8)), "item", ["item 3"]),
    (series(3, 17, 22, 39), "series", ["store 1, item 4", "store 3, item 2", "store 3, item 7", "store 5, item 8"]),
])
def test_a_shift_of_a_quarter_is_found_within_four_weeks_and_named(where, kind, names, change):
    rng = np.random.default_rng(3)
    for _ in range(40):
        found = judged(outcome(rng, factor=np.where(where, change, 1.0)))[kind, LEVEL]
        assert found.confirmed
        assert set(found.names) == set(names)
        assert found.change == pytest.approx(change - 1, abs=0.12)


def test_two_stores_that_move_apart_are_found_though_the_total_stands_still():
    factor = np.select([series(*range(8)), series(*range(8, 16))], [1.25, 0.75], 1.0)
    found = judged(outcome(np.random.default_rng(4), factor=factor))
    assert ("everything", LEVEL) not in found
    assert set(found["store", LEVEL].names) == {"store 1", "store 2"}


def test_a_weekday_pattern_that_moves_is_found_and_a_single_holiday_is_not():
    rng = np.random.default_rng(5)
    pattern = np.array([1.3, 0.7, 1, 1, 1, 0.7, 1.3])[np.arange(28) % 7]
    found = judged(outcome(rng, factor=pattern))["weekday", LEVEL]
    assert set(found.names) == {"Mondays", "Tuesdays", "Saturdays", "Sundays"}
    assert found.confirmed
    holiday = np.where(np.arange(28) == 14, 0.2, 1.0)
    assert not any(one.confirmed for one in judge(outcome(rng, factor=holiday), normal(), RULES) if one.kind == "weekday")


def test_noise_that_doubles_is_found_by_its_errors():
    found = judged(outcome(np.random.default_rng(6), noise=2.0))
    assert found["everything", ERROR].confirmed
    assert found["store", ERROR].change == pytest.approx(1.0, abs=0.2)
    assert ("everything", LEVEL) not in found


def test_a_single_small_series_is_told_and_trains_nothing():
    findings = judge(outcome(np.random.default_rng(7), factor=np.where(series(9), 1.8, 1.0)), normal(), RULES)
    assert not drifted(findings)
    assert {tuple(found.names) for found in findings if found.kind == "series"} == {("store 2, item 2",)}


def test_a_week_after_the_shift_the_shorter_window_sees_it_first():
    factor = np.where(np.arange(28) >= 18, 1.35, 1.0)
    findings = [found for found in judge(outcome(np.random.default_rng(8), factor=factor), normal(level=0.03), RULES)
                if found.kind == "everything" and found.what == LEVEL]
    assert [found.window for found in findings] == [14]


def test_many_small_series_that_moved_are_found_as_a_crowd_none_of_which_is_beyond_doubt():
    rng = np.random.default_rng(20)
    number = np.arange(400)
    forecast = np.full((400, 28), 4.0)
    moved = np.isin(number, rng.permutation(400)[:80])

    def seen(size: float) -> Residuals:
        sales = rng.poisson(forecast * np.where(moved, size, 1.0)[:, None]).astype(float)
        return Residuals(number // 40 + 1, number % 40 + 1, FIRST + np.arange(28), sales, forecast, np.sqrt(forecast))

    for size in (1.25, 0.75):
        findings = [found for found in judge(seen(size), normal(level=0.02, error=0.1), RULES) if found.confirmed]
        told = next(found for found in findings if found.kind == "series" and found.what == LEVEL)
        assert len(set(np.sign(told.change))) == 1
        assert np.sign(told.change[0]) == np.sign(size - 1)
        right = sum(f"store {s // 40 + 1}, item {s % 40 + 1}" in told.names for s in number[moved])
        assert right > 0.75 * len(told.names)
    assert not any(drifted(judge(seen(1.0), normal(error=0.1), RULES)) for _ in range(60))


@pytest.mark.parametrize("segments", [6, 10, 50, 250, 1000])
@pytest.mark.parametrize("sigmas", [3.0, 4.0])
def test_a_crowd_is_more_than_chance_would_make(segments, sigmas):
    """By the binomial distribution itself: so many on one side come by chance less than once in exp(sigmas² / 2), and of a large
    number not much fewer would do."""
    rules = RULES.model_copy(update={"sigmas": sigmas, "volume": 0.0})
    one = np.ones(segments)
    found = Deviations([""] * segments, one, one, one, one, one)

    def is_crowd(beyond: int) -> bool:
        change = np.where(np.arange(segments) < beyond, 1.0, 0.0)
        measure = Measure("series", LEVEL, 28, found, change, one)
        return bool(group_test(measure, np.full(segments, 0.5), rules).any())

    def odds(least: int) -> float:
        p = TAIL_PROBABILITY
        return sum(comb(segments, k) * p**k * (1 - p) ** (segments - k) for k in range(least, segments + 1))

    smallest = next((k for k in range(segments + 1) if is_crowd(k)), segments + 1)
    assert odds(smallest) <= np.exp(-(sigmas**2) / 2)
    assert segments < 250 or odds(int(0.75 * smallest)) > np.exp(-(sigmas**2) / 2)


def test_with_nothing_to_judge_the_figures_are_none_and_the_reason_says_so():
    seen = outcome(np.random.default_rng(21))
    nothing = replace(seen, sales=np.full_like(seen.sales, np.nan))
    assert set(figures(nothing, normal()).values()) == {None}
    said, = reasons(Verdict(np.datetime64("2024-01-28"), date(2023, 12, 1), None, nothing, [], None), normal())
    assert said == "nothing to judge: no sales from 2024-01-01 to 2024-01-28 that say anything about demand"


def test_days_that_say_nothing_are_left_out():
    rng = np.random.default_rng(9)
    seen = outcome(rng)
    broken = replace(seen, sales=np.where(series(*range(8)), seen.sales * 0.1, seen.sales))
    assert drifted(judge(broken, normal(), RULES))
    assert not drifted(judge(broken.without(series(*range(8)).ravel()), normal(), RULES))
    nothing = replace(seen, sales=np.full_like(seen.sales, np.nan))
    assert judge(nothing, normal(), RULES) == []


def test_figures_hold_the_errors_against_what_is_normal_for_these_days():
    seen = outcome(np.random.default_rng(14), factor=1.5)
    found = figures(seen, normal())
    assert set(found) == set(FIGURES)
    assert found["current_mape"] == pytest.approx(100 * np.mean(np.abs(seen.sales - seen.forecast) / seen.sales))
    assert found["current_bias"] < -30
    assert found["baseline_mape"] == pytest.approx(100 * 0.12 * SIZE["mape"])
    assert found["baseline_mae"] == pytest.approx(100 * 0.12 * SIZE["mae"])


def test_reasons_are_always_given():
    newest, trained = np.datetime64("2024-05-01"), date(2024, 3, 1)
    seen = outcome(np.random.default_rng(16), factor=np.where(series(*range(8)), 0.7, 1.0))
    findings = judge(seen, normal(), RULES)

    def said(*verdict: object) -> str:
        return "; ".join(reasons(Verdict(newest, *verdict), normal()))

    assert said(trained, "it cannot forecast") == "it cannot forecast"
    assert "too early to judge" in said(trained)
    assert "drift was confirmed on 2024-04-26; the champion, trained through 2024-03-01, is still in place" in said(
        trained, None, seen, [], np.datetime64("2024-04-26"), findings)
    assert "errors are normal: MAPE" in said(trained, None, outcome(np.random.default_rng(17)), [], None)
    words = said(trained, None, seen, findings, newest, findings)
    assert "by store from 2024-04-04 to 2024-05-01: store 1 -" in words
    assert "% of all sales" in words


def test_the_page_shows_verdict_chart_and_segments_and_escapes_names():
    seen = outcome(np.random.default_rng(18), factor=np.where(series(*range(8)), 0.7, 1.0))
    seen = replace(seen, store=np.array([f"<{store}>" for store in seen.store], object))
    findings = judge(seen, normal(), RULES)
    summary = DriftSummary(retrain=True, as_of=date(2024, 1, 28), champion="v", reasons=("a < b",), data_problems=("feed & all",),
                           ended_series=("store 9, item 'x'",))
    newest = np.datetime64("2024-01-28")
    html = report_page.page(summary, Verdict(newest, date(2023, 12, 1), None, seen, findings, newest, findings))
    assert "Train again" in html
    assert "a &lt; b" in html
    assert "feed &amp; all" in html
    assert "store &lt;1&gt;" in html
    assert "store 9, item &#x27;x&#x27;" in html
    assert html.count("<circle") == 28 * html.count("<svg") > 28
    assert "<script" not in html
