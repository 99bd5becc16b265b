"""The champion on every day since its training."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand.drift.findings import Verdict
from demand.drift.monitor import assess_champion, confirmed_through, origin_of, review_days
from demand.drift.reasons import reasons
from tests.support.panels import noisy, panel, ready, shaped
from tests.support.residuals import RULES, pointer
from workspace.registry.store import load_model


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


def test_without_a_champion_that_can_forecast_these_days_everything_is_trained_on():
    whole = ready(panel(noisy(shaped(6, 300))))
    for of, why in ((None, "no champion: train"), (pointer("2030-01-01"), "has seen days after 2020-10-31: train"),
                    (pointer("2020-09-01", "promo"), "was trained with data.known_future ['promo'], not []: train")):
        verdict = assess_champion(whole, of, load_model, RULES)
        assert verdict.retrain
        assert verdict.train_through == "2020-10-31"
        assert reasons(verdict, None)[0].endswith(why)
