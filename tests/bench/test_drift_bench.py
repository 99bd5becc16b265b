"""The drift bench injects what it says, counts as it should, sees what the drift stage sees; the replay trains when it is due."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import cases as data
from bench.drift import __main__ as bench
from bench.drift import champion, pictures, rates, report, spoiled, sweep
from bench.drift.cases import Case
from bench.drift.champion import Watched
from bench.drift.injection import GROWTH, KINDS, RAMP, SHIFT, Kind, inject
from bench.replay.policies import Trainer, replay
from bench.replay.replay_report import summary, table
from demand.champion.champion_record import Champion
from demand.drift.findings import drifted
from demand.drift.monitor import assess_since_training
from demand.drift.summary import finding_record
from demand.model.base.factors import fit_factors
from demand.panel.panel import CLOSED, FILLED, Panel
from tests.support.panels import TRAIN, WEEKDAY, closed, noisy, panel, ready, shaped
from workspace.run.all_params import Params

FIRST = 700  # position of the first drifted day


@pytest.fixture(scope="module")
def settings() -> Params:
    base = data.params()
    return base.model_copy(update={"train": TRAIN, "forecast": base.forecast.model_copy(update={"horizon": 56}),
                                   "evaluate": base.evaluate.model_copy(update={"origins": 3, "step_days": 56})})


@pytest.fixture(scope="module")
def sold() -> Panel:
    """15 series of 3 stores on 900 days, without a season: 700 days are too few to learn one."""
    return ready(panel(noisy(steady())))


def steady() -> np.ndarray:
    return np.linspace(20, 80, 15)[:, None] * WEEKDAY[np.arange(900) % 7]


@pytest.fixture(scope="module")
def watched(sold: Panel, settings: Params) -> Watched:
    return champion.fitted(sold, settings, sold.dates[FIRST])


def injected(sold: Panel, kind: Kind, seed: int = 0) -> Panel:
    return inject(sold, fit_factors(sold), kind, sold.dates[FIRST], np.random.default_rng(seed))


@pytest.mark.parametrize("name", KINDS)
def test_an_injection_changes_the_chosen_series_from_its_day_on_and_nothing_else(sold: Panel, name: str):
    if name == "season":  # there has to be one to move
        sold = ready(panel(noisy(shaped(len(sold.store), 900))))
    sold = closed(sold, np.arange(len(sold.dates)) == FIRST + 3)
    drifted = injected(sold, KINDS[name])
    changed = (drifted.sales != sold.sales) & ~np.isnan(sold.sales)
    assert not changed[:, :FIRST].any()
    assert not changed[:, FIRST + 3].any()
    assert not changed[:, 900:].any()
    moved = changed.any(axis=1)
    assert moved.sum() == {"level_fifth": 3, "level_store": 5}.get(name, moved.sum())
    if name == "level_store":
        assert len(set(sold.store[moved])) == 1
    if name == "level_tenth":
        volume = np.nansum(sold.sales, axis=1)
        assert volume[moved].sum() >= volume.sum() / 10 > volume[moved].sum() - volume[moved].max()
    elif KINDS[name].where == "all":
        assert moved.all()
    assert (drifted.sales[:, FIRST:900] == np.round(drifted.sales[:, FIRST:900])).all()
    np.testing.assert_array_equal(drifted.recorded[:, FIRST:900], drifted.sales[:, FIRST:900])
    assert drifted.store is sold.store


def test_shifts_ramps_and_growth_have_the_size_they_say():
    sold = ready(panel(noisy(np.full((10, 1100), 4000.0))))
    before = sold.sales[0, FIRST:1100]
    for seed in range(4):
        day = np.arange(400)
        for name, expected in (("level", np.full(400, SHIFT)), ("ramp", SHIFT * np.minimum((day + 1) / RAMP, 1))):
            ratio = injected(sold, KINDS[name], seed).sales[0, FIRST:1100] / before - 1
            assert np.abs(ratio) == pytest.approx(expected, abs=0.0011)
            assert len(set(np.sign(ratio[20:]))) == 1
        ratio = injected(sold, KINDS["growth"], seed).sales[0, FIRST + 365] / before[365]
        assert min(abs(ratio - (1 + GROWTH)), abs(ratio - 1 / (1 + GROWTH))) < 0.003


def test_a_moved_week_is_the_week_three_days_on_and_doubled_noise_has_twice_the_sd():
    mean = shaped(10, 900) * 20
    sold = ready(panel(mean))
    ratio = injected(sold, KINDS["weekday"]).sales[:, FIRST:FIRST + 21] / mean[:, FIRST:FIRST + 21]
    week = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 0.9])
    assert ratio == pytest.approx(np.tile((np.roll(week, -3) / week)[(FIRST + np.arange(21)) % 7], (10, 1)), rel=0.03)
    sold = ready(panel(noisy(np.full((40, 900), 400.0))))
    noise = injected(sold, KINDS["noise"]).sales[:, FIRST:860]
    assert noise.std() == pytest.approx(40, rel=0.08)
    assert noise.mean() == pytest.approx(400, rel=0.01)


@pytest.mark.parametrize(("hits", "tries", "low", "high"), [
    (0, 100, 0.0, 0.0370), (95, 100, 0.8882, 0.9785), (5, 10, 0.2366, 0.7634)])
def test_intervals_of_rates_are_those_of_the_tables(hits: int, tries: int, low: float, high: float):
    assert rates.wilson(hits, tries) == pytest.approx((low, high), abs=1e-4)
    assert rates.wilson(tries - hits, tries) == pytest.approx((1 - high, 1 - low), abs=1e-4)


def test_weeks_alarms_and_delays_are_counted_by_hand():
    alarm = [False] * 30
    for day in (9, 10, 20):
        alarm[day] = True
    assert rates.weeks(alarm) == [False, True, True, False]
    assert rates.delay(alarm) == 14
    assert rates.delay([True] + [False] * 27) == 7
    assert rates.delay([False] * 28) is None
    assert rates.separate(alarm, 28) == 1
    assert rates.separate(alarm, 10) == 2
    assert rates.median_delay([7, 14, None]) == 14
    assert rates.median_delay([7, None, None]) is None


def test_the_bench_sees_what_the_drift_stage_sees(sold: Panel, settings: Params, watched: Watched):
    """Forecasts made once, sales changed afterwards: day by day as the stage would have judged the data as it then was."""
    changed = inject(sold, watched.factors, KINDS["level_store"], sold.dates[FIRST + 40], np.random.default_rng(3))
    watch = champion.with_sales(watched, changed, 40)
    trained = sold.dates[FIRST].astype(object)
    of = Champion(version="20240501T000000Z", model="m", sha256="0" * 64, trained_through=trained, train={}, horizon=56,
                  known_future=(), baseline={}, promoted_at="", promoted_by="", reason="", previous=None)
    said = []
    for day in (30, 44, 47, 52, 60, 90):
        last = sold.dates[FIRST + day]
        verdict = assess_since_training(changed.through(last), watch.model, of, watch.error_model, settings.drift)
        mine = watch.findings_on(day)
        assert [finding_record(one, last) for one in verdict.findings] == [finding_record(one, last) for one in mine]
        days = [one for one in range(champion.FIRST, day + 1) if drifted(watch.findings_on(one))]
        assert verdict.confirmed == (sold.dates[FIRST + days[-1]] if days else None)
        said.append(bool(days))
    assert not said[0]
    assert said[-1]


def test_other_thresholds_say_what_a_judgement_under_them_says(watched: Watched):
    watch = champion.drifting(watched, "level_fifth", 50, np.random.default_rng(0))
    for day in (40, 60, 70):
        said = sweep.on_day(watch, day)
        assert said == [drifted(replace(watch, rules=rules).findings_on(day)) for _, _, rules in sweep.settings()]
    assert len(set(said)) == 2


def test_broken_feeds_are_told_and_are_no_drift(watched: Watched, settings: Params):
    found = spoiled.checked(watched, settings.prepare, 2, np.random.default_rng(0))
    assert found == {kind: {"replays": 2, "drift": 0, "told": 2} for kind in spoiled.KINDS}
    start = watched.watch.model.trained_through + 30
    gone = spoiled.spoil(watched.watch.panel, "dead_store", start, settings.prepare, np.random.default_rng(1))
    column = gone.column(start)
    assert (gone.status[:, column:] == CLOSED).any(axis=1).sum() == 5
    holes = spoiled.spoil(watched.watch.panel, "missing_rows", start, settings.prepare, np.random.default_rng(1))
    assert (holes.status[:, column:] == FILLED).mean() == pytest.approx(spoiled.GAPS, abs=0.06)


def test_a_small_bench_from_end_to_end(sold: Panel, settings: Params, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(bench, "CASES", {"tiny": Case("tiny", lambda: (sold, settings), (str(sold.dates[FIRST]),))})
    monkeypatch.setattr(bench, "SLOW_REPLAYS", 1)
    monkeypatch.setattr(bench, "SPOILED_REPLAYS", 1)
    case = bench.measured("tiny", 2, peers=False)
    results = json.loads(json.dumps({"machine": "2 cores", "minutes": 0.1, "settings": sweep.named(), "cases": {"tiny": case}}))
    report.write(results, tmp_path)
    pictures.draw(results, tmp_path)
    found, = case["champions"].values()
    assert found["quiet"]["days"] == 199 - champion.FIRST + 1
    assert found["quiet"]["alarms"] <= 1
    assert found["delays"]["level"] == [7, 7]
    assert len(found["sweep"]["found"]) == len(sweep.settings())
    text = (tmp_path / "results.md").read_text()
    assert "| level ±25 %, all series | 100 % (34.2 to 100.0) | 100 % (34.2 to 100.0) | 7 days | – | – |" in text
    assert (tmp_path / "results.csv").read_text().splitlines()[1].startswith(f"tiny,{sold.dates[FIRST]},level,2,2,2,7")
    assert (tmp_path / "drift-found.svg").stat().st_size < 200_000
    assert (tmp_path / "drift-trade-off.svg").stat().st_size < 300_000


def test_policies_train_when_they_are_due_and_the_gate_when_sales_shift(settings: Params):
    mean = steady()
    mean[:, 740:] *= 1.6
    whole = ready(panel(noisy(mean)))
    first = whole.dates[699]
    said: list[str] = []
    policies = {policy.name: policy for policy in replay(Trainer(whole, settings), first, said.append)}
    weeks = [str(day) for day in np.arange(first, whole.dates[899] - 56 + 1, 7)]
    assert policies["never"].trained == []
    assert policies["weekly"].trained == weeks[1:]
    assert policies["monthly"].trained == [day for day in weeks[1:] if int(day[8:]) <= 7]
    gated = policies["on drift"]
    assert str(whole.dates[740]) < gated.trained[0] <= str(whole.dates[754])
    assert gated.model.trained_through == np.datetime64([day for day in gated.trained if day not in gated.refused][-1])
    found = summary(list(policies.values()), first)
    assert found["weeks"] == len(weeks) == len(found["policies"]["never"]["weekly"]["smape"])
    text = table(found)
    row = next(line for line in text.splitlines() if line.startswith("| weekly"))
    assert f"| {len(weeks) - 1} |" in row
    assert "+0.00 %" in row
