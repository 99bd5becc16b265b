"""The benchmark measures what it says, without the methods that need packages of its own."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from bench import cases, feasts, measure, report
from bench.methods import METHODS
from demand.backtest.fold_scores import fold_scores, means
from demand.backtest.folds import backtest, plan_backtest
from demand.panel.panel import Panel
from tests.support.models import fit_with
from tests.support.panels import TRAIN, noisy, panel, ready, shaped
from workspace.run.all_params import Params

OURS = "this project"


@pytest.fixture(scope="module")
def settings() -> Params:
    base = cases.params()
    return base.model_copy(update={"train": TRAIN, "forecast": base.forecast.model_copy(update={"horizon": 60})})


@pytest.fixture(scope="module")
def sold() -> Panel:
    return panel(noisy(shaped(6, 500)))


def test_it_says_what_the_pipeline_says(sold: Panel, settings: Params):
    at = plan_backtest(sold, 2, 35, 60).origins
    found = measure.measured(sold, settings, at, OURS)
    expected = means([fold_scores(fold) for fold in backtest(ready(sold), fit_with(TRAIN, 60), at, 60)])
    for name in (*measure.COLUMNS, "coverage_80", "coverage_95"):
        assert found[name] == pytest.approx(expected[name])
    assert found["seconds"] > 0
    assert 0.05 < found["peak_memory_gb"] < 8
    assert list(found["per_origin"]) == [str(day) for day in at]
    assert {"coverage_80_month_1", "coverage_80_month_2"} <= set(found)


def test_one_method_in_a_process_of_its_own(sold: Panel, settings: Params, tmp_path: Path):
    shared, result = tmp_path / "panel", tmp_path / "result"
    shared.write_bytes(pickle.dumps((sold, settings, 2)))
    measure.main(str(shared), "seasonal naive (364 days)", str(result))
    assert json.loads(result.read_text())["smape"] > 0


def test_the_tables():
    base = dict.fromkeys(measure.COLUMNS, 10.0) | {"seconds": 20.0, "peak_memory_gb": 0.5}
    covered = {"coverage_80": 80.0, "coverage_95": 95.0, "coverage_80_month_1": 81.0, "coverage_95_month_1": 94.0}
    ours = base | covered | {"seconds": 4.0}
    text = report.markdown({"machine": "2 cores", "cases": {"demo": {report.REFERENCE: base, OURS: ours}},
                            "repro": {"the demo": {"seconds": 30.0, "peak_memory_gb": 0.7, "nothing_to_do_seconds": 1.5}}})
    assert "| this project | 10.00 | 10.00 | 10.00 | 10.00 | +10.00 | 80.0 (81.0) | 95.0 (94.0) | 4.00 | 5.0 × | 0.50 |" in text
    assert "| the demo | 30.0 | 0.70 | 1.50 |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {len(report.HEAD) + 1, 5}


def test_generated_cases_hold_what_they_promise():
    small = cases.CHAIN | {"stores": 30}
    planned, settings = cases.generated(small, cases.PLANNED)
    assert planned.known_names == cases.PLANNED == settings.data.known_future
    end = planned.column(planned.last_day) + 1
    assert not np.isnan(planned.known[:, end:end + settings.forecast.horizon]).any()
    assert (planned.known[:, :end, 1] == 0).mean() > 0.1
    blind, _ = cases.generated(small)
    assert blind.known_names == ()
    assert set(METHODS) >= {OURS, report.REFERENCE}


def test_the_worth_of_a_calendar(monkeypatch: pytest.MonkeyPatch):
    """A small chain: the error near feasts falls, and the table says by how much. The watch for false alarms is bench.drift's."""
    monkeypatch.setattr(feasts, "ORIGINS", 1)
    monkeypatch.setattr(feasts, "fitted", lambda panel, *_: panel.events)
    monkeypatch.setattr(feasts, "quiet", lambda events: {"alarms": int(events is None), "checks": 50})
    found = feasts.measured({"stores": 2, "items": 3, "years": 3.5, "level": 500.0})
    assert found["with"]["near"] < 0.85 * found["without"]["near"]
    assert (found["with"]["alarms"], found["without"]["alarms"]) == (0, 1)
    lines = feasts.markdown({"without": {"near": 20.0, "other": 10.0, "alarms": 3, "checks": 50},
                             "with": {"near": 12.0, "other": 10.0, "alarms": 1, "checks": 50}})
    assert "40 % lower with the calendar" in lines[2]
    assert "| data.calendar: {default: DE} | 12.00 | 10.00 | 1 of 50 |" in lines
