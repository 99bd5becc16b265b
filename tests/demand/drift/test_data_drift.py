"""Whether the data look different: samples without level and season, and Evidently on them."""

from __future__ import annotations

import numpy as np
import pytest

from demand.drift.data_drift import samples
from demand.drift.data_drift.evidently_report import data_summary, evidently_report
from tests.support.panels import noisy, panel, ready, shaped


def distances(sales: np.ndarray, day: int = -1) -> dict[str, float]:
    """Mean absolute difference of the quantiles, per sd of the reference: what Evidently's distance is."""
    whole = ready(panel(sales))
    now, then, season_matched = samples.draw_samples(whole, whole.dates[sales.shape[1] + day], 28, 3000)
    assert season_matched
    grid = np.linspace(0.005, 0.995, 199)
    return {name: float(np.abs(np.quantile(now.columns[name], grid) - np.quantile(then.columns[name], grid)).mean()
                        / np.std(then.columns[name])) for name in now.columns}


def test_growth_season_and_noise_are_no_data_drift_and_a_changed_mix_is():
    mean = 4 * shaped(150, 900, growth=0.2)
    limit = samples.threshold(3000)
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
    first, second = (samples.draw_samples(whole, whole.last_day, 28, 500) for _ in range(2))
    now, then, _ = first
    assert now.rows == then.rows == 500
    assert now.level / then.level == pytest.approx(1.3, abs=0.03)
    for name in samples.COLUMNS:
        np.testing.assert_array_equal(now.columns[name], second[0].columns[name])
    assert (now.last, then.last) == (whole.last_day, whole.last_day - 364)


def test_a_short_history_has_no_season_to_compare_with():
    whole = ready(panel(noisy(shaped(6, 300))))
    now, then, season_matched = samples.draw_samples(whole, whole.last_day, 28, 500)
    assert not season_matched
    assert then.last == now.first - 1
    found = {"columns": {"sales": {"drifted": True}}}
    assert not data_summary(now, then, False, found, 0.5)["data_drift_detected"]
    assert data_summary(now, then, True, found, 0.5)["data_drift_detected"]


def test_evidently_s_page_is_the_same_twice_and_finds_what_moved():
    mean = 4 * shaped(150, 900)
    mean[::3, -28:] *= 1.8
    whole = ready(panel(noisy(mean), known={"promo": np.tile((np.arange(900) % 2 == 0).astype(float), (150, 1))}))
    now, then, _ = samples.draw_samples(whole, whole.last_day, 28, 1200)
    (found, html), (_, again) = (evidently_report(now, then, 0.5) for _ in range(2))
    assert html == again
    assert set(found["columns"]) == {*samples.COLUMNS, "promo"}
    assert found["columns"]["sales"]["drifted"]
    assert not found["columns"]["promo"]["drifted"]
    assert found["threshold"] == pytest.approx(0.1 + 1200**-0.5)
    assert html.count("<body>") == 1
