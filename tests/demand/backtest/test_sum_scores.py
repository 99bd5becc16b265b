"""Coverage of sums in a backtest, beside loops that add up one sum at a time."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from demand.backtest.folds import Fold
from demand.backtest.sum_scores import SPANS, by_sum
from demand.distribution.joint_error import JointError
from demand.panel.forecast import Forecast
from tests.support.panels import noisy, panel, shaped

HORIZON, SERIES = 30, 8
RELATIVE = np.array([[0, 0, 4e-4, 1e-4], [0, 1e-3, 0, 0], [0, 0, 2e-3, 0], [1e-3, 0, 0, 0]])


@pytest.fixture(scope="module")
def fold() -> Fold:
    """Some days of the second series have no known sales, and the third forecasts nothing."""
    mean = shaped(SERIES, 400)
    history = panel(noisy(mean))
    point = mean[:, -HORIZON:].astype("f4")
    point[2] = 0
    actual = np.random.default_rng(1).poisson(mean[:, -HORIZON:]).astype("f4")
    actual[1, 3:9] = np.nan
    model = SimpleNamespace(joint_error=JointError(1.0, RELATIVE, 8.0, whole=True))
    return Fold(history, actual, Forecast(np.datetime64("2021-01-01"), point, {}, {}), model)


def test_every_kind_of_sum_is_scored(fold: Fold):
    rows = {(row["level"], row["days"]): row for row in by_sum([fold, fold])}
    assert set(rows) == {(level, days) for level in ("all", "store", "item", "series") for days in SPANS}
    assert rows["all", 1]["sums"] == 2 * HORIZON
    assert rows["store", 7]["sums"] == 2 * 2 * 4
    assert rows["series", 28]["sums"] == 2 * (SERIES - 1)  # a series of which nothing is forecast has no interval
    for row in rows.values():
        assert row["coverage_80"] <= row["coverage_95"] <= 100
        assert 0 < row["width_80"] < row["width_95"]


def test_a_store_week_by_hand(fold: Fold):
    """The sum, its variance term by term, and what was sold, of known days alone."""
    kernels = [np.eye(7), np.exp(-np.abs(np.subtract.outer(np.arange(7), np.arange(7))) / 7), np.ones((7, 7)), None]
    hits, widths, means = [], [], []
    for start in range(0, HORIZON - 6, 7):
        kernels[3] = np.minimum.outer(np.arange(start + 1, start + 8), np.arange(start + 1, start + 8)) / 28
        for store in np.unique(fold.history.store):
            rows = np.flatnonzero(fold.history.store == store)
            days = slice(start, start + 7)
            known = ~np.isnan(fold.actual[rows, days])
            units = np.where(known, fold.forecast.point[rows, days], 0).astype("f8")
            total = units.sum(axis=0)
            variance = units.sum() + sum(RELATIVE[level, k] * total @ kernels[k] @ total for level in (0, 1) for k in range(4))
            variance += sum(RELATIVE[level, k] * w @ kernels[k] @ w for level in (2, 3) for k in range(4) for w in units)
            means.append(units.sum())
            widths.append(np.sqrt(variance))
            hits.append(np.nansum(fold.actual[rows, days]))
    row = next(row for row in by_sum([fold]) if (row["level"], row["days"]) == ("store", 7))
    z = np.abs(np.subtract(hits, means)) / np.array(widths)
    assert np.mean(z < 1.2) <= row["coverage_80"] / 100 <= np.mean(z < 1.6)  # t of 8 and more degrees of freedom: 1.28 to 1.40
    assert 2 * 1.28 * 0.97 <= row["width_80"] / 100 * np.sum(means) / np.sum(widths) <= 2 * 1.40 * 1.03


def test_without_a_fold_or_a_forecast():
    assert by_sum([]) == []
