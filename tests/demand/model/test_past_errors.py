"""The joint error of a model: learned from the window alone, and right for forecasts of days that it did not see."""

from __future__ import annotations

import numpy as np
import pytest

from demand.distribution.groups import LEVELS, Groups
from demand.distribution.sums import forecast_sums
from demand.model.demand_model import DemandModel
from tests.support.panels import TRAIN, noisy, panel, shaped

HORIZON, ORIGIN = 28, 900


def wavering(seed: int, days: int = ORIGIN + HORIZON) -> np.ndarray:
    """20 series with an error that all share, a random walk of 4 % in four weeks, around known means."""
    rng = np.random.default_rng(seed)
    common = np.exp(np.cumsum(rng.normal(0, 0.04 / np.sqrt(28), days)))
    return rng.poisson(shaped(20, days, seed=seed) * common).astype("f4")


def test_nothing_after_the_window_reaches_it():
    sales = wavering(0)
    window = panel(sales).through(np.datetime64("2020-01-06") + ORIGIN - 1)
    other = sales.copy()
    other[:, ORIGIN:] = 1e6
    after = panel(other).through(np.datetime64("2020-01-06") + ORIGIN - 1)
    fitted = [DemandModel.fit(each, TRAIN, HORIZON) for each in (window, after)]
    assert fitted[0].to_bytes() == fitted[1].to_bytes()
    assert fitted[0].joint_error.spells > 4


def test_it_outlives_the_file():
    model = DemandModel.fit(panel(wavering(0)[:, :500]), TRAIN, HORIZON)
    again = DemandModel.from_bytes(model.to_bytes())
    assert again.joint_error.to_json() == model.joint_error.to_json()
    assert again.joint_error.whole is True


@pytest.mark.slow
def test_sums_of_days_ahead_are_covered():
    """Over 40 worlds: the sum of everything, of stores and series over four weeks, where independent days would fail."""
    hits: dict[str, list[np.ndarray]] = {level: [] for level in LEVELS}
    independent = []
    for seed in range(40):
        sales = wavering(seed)
        window = panel(sales[:, :ORIGIN])
        model = DemandModel.fit(window, TRAIN.model_copy(update={"rows": 1500, "n_estimators": 15}), HORIZON)
        made = model.predict(window, window.last_day, HORIZON)
        groups = Groups.of(window.store, window.item)
        sold = sales[:, ORIGIN:].sum(axis=1)
        for level in LEVELS:
            group = groups.by(level)
            low, high = forecast_sums(model.joint_error, made.point, 1, groups.store, groups.item, group).interval(80)
            actual = np.bincount(group, sold)
            hits[level].append((actual >= low) & (actual <= high))
        width = 1.28 * np.sqrt(model.spread.of(made.point.astype("f8")) ** 2).sum() ** 0.5
        independent.append(abs(made.point.sum() - sold.sum()) <= width)
    covered = {level: np.concatenate(found).mean() for level, found in hits.items()}
    assert all(0.66 <= covered[level] <= 0.95 for level in ("all", "store")), covered  # 40 spells: ± 13 points
    assert all(0.72 <= covered[level] <= 0.90 for level in ("item", "series")), covered
    assert np.mean(independent) < 0.4


def test_a_history_without_an_origin_falls_back_to_the_days():
    model = DemandModel.fit(panel(noisy(shaped(3, 50))), TRAIN, HORIZON)
    assert model.facts["joint_error"] is None
    error = model.joint_error
    assert error.relative[0, 2] == pytest.approx(model.spread.common)
    assert error.relative[3, 0] == pytest.approx(model.spread.relative)
