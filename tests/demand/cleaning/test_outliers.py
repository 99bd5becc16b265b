"""Outliers: demand that repeats or is shared is believed, a typing error is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demand.ingest.records import Records
from demand.panel.panel import OUTLIER
from tests.support.cleaned import cleaned


def demand(seed: int, series: tuple[int, int] = (4, 5), days: int = 500) -> Records:
    rng = np.random.default_rng(seed)
    store, item = (ids.ravel() for ids in np.indices(series))
    day = np.arange(days)
    season = 1 + 0.3 * np.sin(2 * np.pi * day / 365)
    mean = rng.lognormal(3.5, 0.5, (len(store), 1)) * season * rng.uniform(0.7, 1.3, 7)[day % 7]
    sales = rng.poisson(mean * rng.gamma(50, 1 / 50, (len(store), days))).astype("f4")
    dates = np.datetime64("2022-01-01") + np.arange(days)
    return Records(store, item, dates, sales, np.ones(sales.shape, bool), np.empty((*sales.shape, 0), "f4"))


def capped(records: Records) -> np.ndarray:
    return cleaned(records).status == OUTLIER


def test_ordinary_demand_has_no_outliers():
    assert capped(demand(1)).sum() == 0


@pytest.mark.parametrize("where", [np.s_[:, 300:310], np.s_[5:10, 300:305], np.s_[3::5, 300:305]], ids=["chain", "store", "item"])
def test_a_peak_that_others_share_is_demand(where):
    records = demand(2)
    records.sales[where] *= 6
    assert capped(records).sum() == 0


def test_a_new_level_is_believed_after_two_days():
    records = demand(3)
    records.sales[7, 300:] *= 12
    found = np.argwhere(capped(records)).tolist()
    assert found[0] == [7, 300]
    assert found[1:] in ([], [[7, 301]])


def test_a_yearly_peak_of_one_series_is_believed_in_the_second_year():
    records = demand(4)
    records.sales[7, [100, 464]] *= 8
    assert np.argwhere(capped(records)).tolist() == [[7, 100]]


def test_own_promotions_are_believed_once_they_are_known():
    records = demand(5)
    promo = np.zeros((*records.sales.shape, 1), "f4")
    own = np.arange(90, 500, 45)
    promo[7, own] = 1
    records.sales[7, own] *= 5
    assert capped(records)[7, own].sum() >= 3  # without a word of warning
    records = replace(records, known=promo, known_names=("promo",))
    assert capped(records).sum() == 0
    records.sales[7, own[-1]] *= 10
    assert np.argwhere(capped(records)).tolist() == [[7, own[-1]]]


@pytest.mark.parametrize("factor", [10, 100])
def test_typing_errors_are_found_and_lowered(factor):
    records = demand(6)
    rng = np.random.default_rng(6)
    broken = (rng.random(records.sales.shape) < 0.003) & (np.arange(500) >= 60) & (records.sales > 0)
    true = records.sales[broken]
    records.sales[broken] *= factor
    panel = cleaned(records)
    found = panel.status == OUTLIER
    assert found[broken].mean() > 0.95
    assert not (found & ~broken).any()
    assert np.median(panel.sales[broken] / true) < 6
