"""The drift stage explains itself: what moved, why high errors are no alarm, which series sell nothing any more."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand.champion.champion_record import Champion
from demand.drift import inactive_series, report_page
from demand.drift.decision import judge, mape_limit
from demand.drift.findings import Verdict, drifted
from demand.drift.measures import measures
from demand.drift.reasons import NOTABLE, reasons
from demand.drift.summary import drift_summary, figures
from demand.drift.summary_record import DriftSummary
from stages.drift import console
from tests.support.panels import noisy, panel, ready, shaped
from tests.support.residuals import RULES, normal, outcome, pointer, series


def scored_champion() -> Champion:
    baseline = {"smape": 10.0, "mape": 12.0, "normal": [normal().model_dump(mode="json")]}
    return pointer("2023-12-01").model_copy(update={"baseline": baseline})


@pytest.mark.parametrize("on", [np.datetime64("2024-01-28"), np.datetime64("2024-01-20")])
def test_train_again_always_says_what_moved(on):
    """Also on days after the one on which it was confirmed, in words, in the record and on the page."""
    seen, newest = outcome(np.random.default_rng(16), factor=np.where(series(*range(8)), 0.7, 1.0)), np.datetime64("2024-01-28")
    findings = judge(seen, normal(), RULES)
    verdict = Verdict(newest, date(2023, 12, 1), None, seen, findings if on == newest else [], on, findings)
    summary = drift_summary(verdict, scored_champion(), [], [], {})
    assert summary.retrain
    assert any("store 1 -" in reason for reason in summary.reasons)
    assert {found.through for found in summary.findings} == {on.astype(object)}
    html = report_page.page(summary, verdict)
    assert "Train again" in html
    assert "<td>store 1</td>" in html
    assert ("when drift was confirmed, on 2024-01-20" in html) == (on != newest)


def test_errors_above_what_is_expected_say_why_they_are_no_alarm():
    rng = np.random.default_rng(21)
    for noise in (1.0, 1.6):
        seen = outcome(rng, noise=noise)
        wide = normal(error=0.4)
        assert not drifted(judge(seen, wide, RULES))
        verdict = Verdict(np.datetime64("2024-01-28"), date(2023, 12, 1), None, seen, [], None, (),
                          mape_limit(measures(seen, wide), RULES))
        said, now = reasons(verdict, wide)[0], figures(seen, wide)
        rise = now["current_mape"] / now["baseline_mape"] - 1
        assert rise < verdict.mape_limit == pytest.approx(np.exp((RULES.sigmas + 1) * 0.4) - 1, rel=0.02)
        assert ("is no alarm below +6" in said) == (rise > NOTABLE)
    assert f"{rise:+.0%} is no alarm" in said
    assert rise > 0.4


def test_a_champion_whose_backtest_is_too_short_is_not_called_normal():
    seen = outcome(np.random.default_rng(21), noise=1.6)
    short = normal()
    short = short.model_copy(update={"spread": {3: next(iter(short.spread.values()))}})
    assert mape_limit(measures(seen, short), RULES) is None
    said = reasons(Verdict(np.datetime64("2024-01-28"), date(2023, 12, 1), None, seen, [], None, (), None), short)[0]
    assert said.startswith("not judged: MAPE ")
    assert "the backtest forecast 3 days and does not tell how far 14 of them vary: set forecast.horizon to 14 or more" in said


def test_what_is_too_small_to_train_is_reported():
    seen = outcome(np.random.default_rng(7), factor=np.where(series(9), 1.8, 1.0))
    verdict = Verdict(np.datetime64("2024-01-28"), date(2023, 12, 1), None, seen, judge(seen, normal(), RULES))
    first, *rest = reasons(verdict, normal())
    assert first.startswith("errors are normal")
    assert any("too small a share of all sales to train" in reason and "store 2, item 2 +" in reason for reason in rest)


def test_series_that_ended_are_named_on_the_console_with_the_data_problems():
    mean = shaped(12, 900)
    mean[[1, *range(4, 11)], 900 - inactive_series.GONE - 3:] = 0
    mean[2] = 0
    whole = ready(panel(noisy(mean)))
    ended = inactive_series.ended(whole, whole.last_day)
    assert ended == ["store 1, item 2", "store 1, item 5", *(f"store 2, item {item}" for item in (1, 2, 3)), "3 more"]
    assert inactive_series.ended(whole, whole.last_day - 10) == []
    summary = DriftSummary(as_of=date(2024, 1, 28), retrain=False, reasons=("errors are normal",), data_problems=("no feed",),
                           ended_series=tuple(ended))
    assert console(summary, "2023-12-01") == [
        "keep 2023-12-01: errors are normal", "data problem: no feed", f"no sales for a year: {', '.join(ended)}"]


def test_a_summary_of_an_older_release_is_read():
    old = {"as_of": "2024-01-28", "champion": None, "retrain": True, "reasons": ["no champion: train"], "something": 1}
    found = DriftSummary.model_validate(old)
    assert (found.as_of, found.retrain, found.findings, found.data_drift.columns) == (date(2024, 1, 28), True, (), {})
