"""The judgement: chance and season are let pass, shifts that matter are found and named, a broken feed is no drift."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from math import comb

import numpy as np
import pytest
from examples import PARAMS
from panels import closed, noisy, panel, ready, shaped

from demand.backtest.error_estimate import estimate_error_model, spread_beyond_sampling_error
from demand.backtest.error_model import ErrorModel, ErrorPerSd, Spread, read_error_model
from demand.backtest.residuals import MIN_EXPECTED_UNITS, Residuals, days_without_data
from demand.backtest.segments import WEEKDAYS, Deviations, deviations_by_kind, series_segments
from demand.champion.champion_record import Champion
from demand.drift import data_drift, inactive_series, report_page
from demand.drift.decision import judge
from demand.drift.drift_params import DriftParams
from demand.drift.evidently_report import data_summary, evidently_report
from demand.drift.findings import Finding, Verdict, drifted
from demand.drift.group_test import TAIL_PROBABILITY, group_test
from demand.drift.measures import ERROR, LEVEL, Measure
from demand.drift.monitor import assess_champion, confirmed_through, origin_of, review_days
from demand.drift.reasons import reasons
from demand.drift.summary import FIGURES, figures
from demand.drift.summary_record import DriftSummary
from demand.panel.forecast import Forecast
from demand.panel.panel import CLOSED, FILLED
from workspace.registry.store import load_model

RULES = DriftParams.model_validate(PARAMS["drift"])
SIZE = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0, "mape": np.sqrt(2 / np.pi)}  # errors of a normal distribution, per sd
KINDS = ("everything", "store", "item", "series", "weekday")
FIRST = np.datetime64("2024-01-01")  # a Monday


def normal(level: float = 0.02, error: float = 0.05) -> ErrorModel:
    spread = {kind: Spread(level=level, error=error) for kind in KINDS}
    return ErrorModel(error_per_sd=ErrorPerSd(**SIZE), spread={28: spread, 14: spread})


def outcome(rng: np.random.Generator, factor: np.ndarray | float = 1.0, noise: float = 1.0, mean: float = 100.0,
            wave: float = 0.0, days: int = 28) -> Residuals:
    """5 stores × 8 items on whole weeks; `factor` (40, days) or less on what was forecast, `noise` on the sd of 12 %."""
    number = np.arange(40)
    forecast = np.full((40, days), mean) * (1 + wave * np.sin(np.arange(days) / 9))
    sd = 0.12 * forecast
    sales = forecast * factor + noise * sd * rng.standard_normal((40, days))
    return Residuals(number // 8 + 1, number % 8 + 1, FIRST + np.arange(days), np.maximum(sales, 0), forecast, sd)


def judged(seen: Residuals, **spread: float) -> dict[tuple[str, str], Finding]:
    """Findings by kind and what; of two windows the longer."""
    return {(found.kind, found.what): found for found in reversed(judge(seen, normal(**spread), RULES))}


def series(*chosen: int) -> np.ndarray:
    return np.isin(np.arange(40), chosen)[:, None]


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


def test_a_store_that_sells_nothing_at_all_says_nothing_about_demand():
    """Nor does a series that 20 units were due of; a single zero of a small one does."""
    store, due = np.repeat([1, 2], 3), np.tile([[30.0], [8.0], [8.0]], (2, 1)) * np.ones(3)
    sales = due.copy()
    sales[:3, 0] = 0  # the whole store
    sales[3, 1] = 0  # a series of 30
    sales[4, 2] = 0  # a series of 8
    expected = np.zeros((6, 3), bool)
    expected[:3, 0] = expected[3, 1] = True
    np.testing.assert_array_equal(days_without_data(store, sales, due), expected)
    assert not days_without_data(store[1:3], sales[1:3], due[1:3] / 2).any()  # 8 units in all: nothing may be sold by chance


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


def test_deviations_by_loops():
    seen = outcome(np.random.default_rng(10), factor=1.1, wave=0.3)
    seen = replace(seen, sales=np.where(np.random.default_rng(11).random(seen.sales.shape) < 0.2, np.nan, seen.sales))
    found = deviations_by_kind(seen, SIZE["mae"], SIZE["mape"])
    days = [(s, d) for s in range(40) for d in range(28) if not np.isnan(seen.sales[s, d])]
    common = sum(seen.sales[at] for at in days) / sum(seen.forecast[at] for at in days)
    assert found["everything"].level == pytest.approx(np.log(common))
    of = {"store": lambda s, _: f"store {seen.store[s]}", "item": lambda s, _: f"item {seen.item[s]}",
          "series": lambda s, _: f"store {seen.store[s]}, item {seen.item[s]}",
          "weekday": lambda _, d: WEEKDAYS[seen.dates[d].astype(object).weekday()]}
    for kind, name in of.items():
        assert len(found[kind].names) == len(set(found[kind].names)) == {"store": 5, "item": 8, "series": 40, "weekday": 7}[kind]
        for g, segment in enumerate(found[kind].names):
            mine = [at for at in days if name(*at) == segment]
            due = sum(seen.forecast[at] for at in mine)
            assert found[kind].expected[g] == pytest.approx(due)
            assert found[kind].level[g] == pytest.approx(np.log(sum(seen.sales[at] for at in mine) / due / common))
            assert found[kind].level_variance[g] == pytest.approx(sum(seen.sd[at] ** 2 for at in mine) / due**2)
            error = sum(abs(seen.sales[at] - common * seen.forecast[at]) for at in mine)
            assert found[kind].error[g] == pytest.approx(error / (SIZE["mae"] * sum(seen.sd[at] for at in mine)))


def test_a_kind_of_one_segment_is_everything_and_a_store_of_one_item_is_no_series():
    seen = outcome(np.random.default_rng(12))
    seen = replace(seen, store=np.ones(40, int), item=np.arange(40))
    assert set(deviations_by_kind(seen, SIZE["mae"], SIZE["mape"])) == {"everything", "item", "weekday"}
    assert series_segments(seen) == ("item", [f"item {item}" for item in range(40)])


def test_spread_beyond_chance_is_what_chance_does_not_explain():
    rng = np.random.default_rng(13)
    variance = rng.uniform(0.001, 0.01, 200_000)
    values = rng.normal(0, np.sqrt(0.05**2 + variance))
    assert spread_beyond_sampling_error([(values, variance, np.ones(200_000))]) == pytest.approx(0.05, rel=0.02)
    assert spread_beyond_sampling_error([(values * 0.1, variance, np.ones(200_000))]) == 0
    assert spread_beyond_sampling_error([(np.array([np.nan]), np.ones(1), np.ones(1))]) == 0


class Fold:
    """A fold of a backtest, as far as `deviation.normal` looks."""

    def __init__(self, history, forecast):
        self.history, self.forecast = history, forecast


def test_normal_reads_a_backtest_whose_truth_is_known():
    """Forecasts that are right but for a common error of 5 % per fold, with the sd of the Poisson counts."""
    mean = shaped(60, 900)
    whole = ready(panel(noisy(mean)))
    folds = []
    for origin, off in ((500, 1.05), (600, 0.95), (700, 1.05), (800, 0.95)):
        point = (off * mean[:, origin + 1 : origin + 91]).astype("f4")
        half = 1.28155 * np.sqrt(point)
        forecast = Forecast(whole.dates[origin], point, {80: point - half}, {80: point + half})
        folds.append(Fold(whole.through(whole.dates[origin]), forecast))
    found = estimate_error_model(folds, whole)
    assert found.error_per_sd.rmse == pytest.approx(1.06, abs=0.04)
    assert set(found.spread) == {28, 14}
    assert found.spread[28]["everything"].level == pytest.approx(0.05, abs=0.005)
    assert found.spread[28]["store"].level < 0.01
    assert read_error_model({"normal": [json.loads(json.dumps(found.model_dump(mode="json")))]}) == found


def test_figures_hold_the_errors_against_what_is_normal_for_these_days():
    seen = outcome(np.random.default_rng(14), factor=1.5)
    found = figures(seen, normal())
    assert set(found) == set(FIGURES)
    assert found["current_mape"] == pytest.approx(100 * np.mean(np.abs(seen.sales - seen.forecast) / seen.sales))
    assert found["current_bias"] < -30
    assert found["baseline_mape"] == pytest.approx(100 * 0.12 * SIZE["mape"])
    assert found["baseline_mae"] == pytest.approx(100 * 0.12 * SIZE["mae"])


@pytest.mark.parametrize("since", [14, 15, 100])
def test_a_champion_is_judged_on_every_day_since_its_training_the_newest_first(since):
    days = review_days(since)
    assert (days[0], days[-1], len(days)) == (since, 14, since - 13)
    assert not review_days(13)
    assert not review_days(-40)


@pytest.mark.parametrize("horizon", [14, 28, 40, 56, 90])
def test_windows_lie_within_a_forecast_of_their_own_and_a_day_has_the_same_one_whenever_it_is_judged(horizon):
    origins: dict[int, list[int]] = {}
    for day in range(14, 400):
        origin, reach = origin_of(day, horizon)
        assert 0 <= origin <= max(day - 28, 0)  # the whole window comes after it
        assert day <= origin + reach
        origins.setdefault(origin, []).append(day)
    assert set(np.diff(sorted(origins))) == {min(28, max(horizon - 28, 7))}
    assert horizon < 35 or max(max(days) - origin for origin, days in origins.items()) <= horizon


def test_drift_once_confirmed_stays_until_the_champion_is_replaced():
    trained, shifted, before = date(2024, 3, 1), {28, 29, 31, 60}, ""
    for since in range(14, 200):
        confirmed = confirmed_through(review_days(since), lambda day: day in shifted)
        assert confirmed == max([day for day in shifted if day <= since], default=None)
        through = None if confirmed is None else np.datetime64(trained) + confirmed
        verdict = Verdict(np.datetime64(trained) + since, trained, None, None, [], through)
        assert verdict.retrain == (since >= 28)
        assert verdict.train_through >= before
        before = verdict.train_through
    assert before == "2024-04-30"


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


def pointer(trained_through: str, *known_future: str) -> Champion:
    return Champion(version="20240501T000000Z", model="m", sha256="0" * 64, trained_through=trained_through, train={}, horizon=28,
                    known_future=known_future, baseline={}, promoted_at="2024-05-01T00:00:00Z", promoted_by="me", reason="",
                    previous=None)


def test_without_a_champion_that_can_forecast_these_days_everything_is_trained_on():
    whole = ready(panel(noisy(shaped(6, 300))))
    for of, why in ((None, "no champion: train"), (pointer("2030-01-01"), "has seen days after 2020-10-31: train"),
                    (pointer("2020-09-01", "promo"), "was trained with data.known_future ['promo'], not []: train")):
        verdict = assess_champion(whole, of, load_model, RULES)
        assert verdict.retrain
        assert verdict.train_through == "2020-10-31"
        assert reasons(verdict, None)[0].endswith(why)


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


def silenced(days: int, rows: list[int], status: int = CLOSED):
    whole = ready(panel(noisy(shaped(10, 400))))
    sales, recorded, states = whole.sales.copy(), whole.recorded.copy(), whole.status.copy()
    cut = slice(400 - days, 400)
    sales[rows, cut], recorded[rows, cut], states[rows, cut] = 0, 0 if status == CLOSED else np.nan, status
    return replace(whole, sales=sales, recorded=recorded, status=states)


def test_a_store_and_a_series_that_fell_silent_are_data_problems():
    whole = silenced(9, [0, 1, 2, 3, 4, 7])
    found = inactive_series.find_silence(whole, whole.last_day, RULES.silent_days)
    assert np.flatnonzero(found.silent).tolist() == [0, 1, 2, 3, 4, 7]
    said, = inactive_series.problems(whole, found, whole.last_day)
    assert said.startswith("no sales where some were expected: store 1 since 2021-01-30, store 2, item 3 since 2021-01-30. "
                           "Closed")


def test_silence_that_is_short_planned_or_chance_is_none():
    whole = silenced(6, [0])
    assert not inactive_series.find_silence(whole, whole.last_day, 7).silent.any()
    whole = silenced(9, [0])
    planned = np.where(whole.status == CLOSED, 0.0, 1.0)[:, :, None]
    whole = replace(whole, known=planned.astype("f4"), known_names=("open",))
    assert not inactive_series.find_silence(whole, whole.last_day, 7).silent.any()
    rare = ready(panel((np.arange(400) % 20 == 0)[None].astype(float)))
    assert not inactive_series.find_silence(rare, rare.last_day, 7).silent.any()


def test_silence_by_loops():
    rng = np.random.default_rng(22)
    for _ in range(20):
        sales = rng.poisson(rng.choice([0.3, 3, 30], (12, 1)), (12, 420)).astype(float)
        for s in range(12):
            sales[s, 420 - rng.integers(0, 30):] = 0
        whole = closed(ready(panel(sales)), np.arange(510) % 7 == 6)
        found = inactive_series.find_silence(whole, whole.dates[415], 7)
        for s in range(12):
            sold = [d for d in range(50, 416) if whole.recorded[s, d] > 0]
            if not sold:
                assert not found.silent[s]
                continue
            traded = [whole.sales[s, d] for d in range(max(sold[-1] + 1 - inactive_series.BEFORE, 0), sold[-1] + 1) if d % 7 != 6]
            due = np.mean(traded) * (415 - sold[-1])
            assert found.silent[s] == (415 - sold[-1] >= 7 and due >= MIN_EXPECTED_UNITS)
            assert found.last_sale[s] == whole.dates[sold[-1] if found.silent[s] or 415 - sold[-1] >= 7 else 415]


def test_days_without_values_are_a_data_problem_when_they_are_many():
    whole = silenced(6, list(range(10)), FILLED)
    found = inactive_series.find_silence(whole, whole.last_day, 7)
    said, = inactive_series.problems(whole, found, whole.last_day)
    assert said.startswith("43% of the last 14 days have no value and were filled")
    few = silenced(6, [1, 2], FILLED)
    assert inactive_series.problems(few, inactive_series.find_silence(few, few.last_day, 7), few.last_day) == []


def distances(sales: np.ndarray, day: int = -1) -> dict[str, float]:
    """Mean absolute difference of the quantiles, per sd of the reference: what Evidently's distance is."""
    whole = ready(panel(sales))
    now, then, season_matched = data_drift.samples(whole, whole.dates[sales.shape[1] + day], 28, 3000)
    assert season_matched
    grid = np.linspace(0.005, 0.995, 199)
    return {name: float(np.abs(np.quantile(now.columns[name], grid) - np.quantile(then.columns[name], grid)).mean()
                        / np.std(then.columns[name])) for name in now.columns}


def test_growth_season_and_noise_are_no_data_drift_and_a_changed_mix_is():
    mean = 4 * shaped(150, 900, growth=0.2)
    limit = data_drift.threshold(3000)
    for day in (-1, -60, -120, -180):
        assert max(distances(noisy(mean), day).values()) < limit
    mean[::3, -28:] *= 1.6
    found = distances(noisy(mean))
    assert found["sales"] > limit
    assert found["rolling_mean_7"] > limit


def test_samples_are_the_same_every_time_and_say_how_far_the_level_moved():
    mean = shaped(40, 900)
    mean[:, -28:] *= 1.3
    whole = ready(panel(noisy(mean)))
    first, second = (data_drift.samples(whole, whole.last_day, 28, 500) for _ in range(2))
    now, then, _ = first
    assert now.rows == then.rows == 500
    assert now.level / then.level == pytest.approx(1.3, abs=0.03)
    for name in data_drift.COLUMNS:
        np.testing.assert_array_equal(now.columns[name], second[0].columns[name])
    assert (now.last, then.last) == (whole.last_day, whole.last_day - 364)


def test_a_short_history_has_no_season_to_compare_with():
    whole = ready(panel(noisy(shaped(6, 300))))
    now, then, season_matched = data_drift.samples(whole, whole.last_day, 28, 500)
    assert not season_matched
    assert then.last == now.first - 1
    found = {"columns": {"sales": {"drifted": True}}}
    assert not data_summary(now, then, False, found, 0.5)["data_drift_detected"]
    assert data_summary(now, then, True, found, 0.5)["data_drift_detected"]


def test_evidently_s_page_is_the_same_twice_and_finds_what_moved():
    mean = 4 * shaped(150, 900)
    mean[::3, -28:] *= 1.8
    whole = ready(panel(noisy(mean), known={"promo": np.tile((np.arange(900) % 2 == 0).astype(float), (150, 1))}))
    now, then, _ = data_drift.samples(whole, whole.last_day, 28, 1200)
    (found, html), (_, again) = (evidently_report(now, then, 0.5) for _ in range(2))
    assert html == again
    assert set(found["columns"]) == {*data_drift.COLUMNS, "promo"}
    assert found["columns"]["sales"]["drifted"]
    assert not found["columns"]["promo"]["drifted"]
    assert found["threshold"] == pytest.approx(0.1 + 1200**-0.5)
    assert html.count("<body>") == 1
