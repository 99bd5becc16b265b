"""Typing errors of series without a history: the rules against loops, and what must be believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest.records import Records
from demand.panel.panel import OUTLIER, Panel
from tests.support.examples import PARAMS


def loop_newcomers(records: Records, observed: np.ndarray, unjudged: np.ndarray) -> list[tuple[int, int, float]]:
    """Row, column and believed value of each error among the unjudged days."""
    series, days = observed.shape
    sold: list[list[float]] = [[] for _ in range(series)]  # what each sold on its days with sales, errors as they were believed
    errors = []

    def third(units: list[float]) -> float:
        return sorted(units)[-3:][0] if units else 0.0

    for t in range(days):
        today = {s: float(records.sales[s, t]) for s in range(series) if observed[s, t] and records.sales[s, t] > 0}
        reached = np.array([third([*sold[s], *([today[s]] if s in today else [])]) for s in range(series)])
        selling = reached > 0
        for s, units in list(today.items()):
            if not unjudged[s, t]:
                continue
            own = third(sold[s]) if len(sold[s]) >= 3 else 0.0
            limit, believed = (30 * own, own) if own else (np.inf, 0.0)
            if selling.sum() >= 4:
                item, store = (selling & (ids == ids[s]) for ids in (records.item, records.store))
                if item.sum() >= 4:
                    ratio = np.median(reached[store]) / np.median(reached[selling]) if store.sum() >= 4 else 1.0
                    peers = np.median(reached[item]) * max(ratio, 1.0)
                    limit = max(limit if own else 0.0, 30 * peers)
                else:
                    peers = sorted(reached[selling])[-2]
                    limit = max(limit if own else 0.0, 100 * peers)
                believed = own or peers
            if units > limit:
                errors.append((s, t, believed))
                today[s] = believed
        for s, units in today.items():
            sold[s].append(units)
    return errors


def chain(stores: int = 5, items: int = 6, days: int = 120, seed: int = 0) -> Records:
    """Poisson sales; levels from 3 to 300 units a day."""
    rng = np.random.default_rng(seed)
    store, item = (ids.ravel() for ids in np.indices((stores, items)))
    level = np.geomspace(3, 300, items)[item] * np.linspace(0.5, 2, stores)[store]
    sales = rng.poisson(level[:, None], (len(store), days)).astype("f4")
    return Records(store, item, np.datetime64("2024-01-01") + np.arange(days), sales, np.ones(sales.shape, bool),
                   np.empty((*sales.shape, 0), "f4"))


def cleaned(records: Records) -> Panel:
    visible, last = visible_records(records, len(records.dates) - 1)
    return clean(visible, last, PrepareParams.model_validate(PARAMS["prepare"]))


def outliers(records: Records) -> list[list[int]]:
    return np.argwhere(cleaned(records).status == OUTLIER).tolist()


@pytest.mark.parametrize("day", [0, 1, 5, 13, 20, 27, 40, 119])
@pytest.mark.parametrize("units", [1e5, 1e12])
def test_a_typing_error_is_found_on_any_day_and_lowered_to_what_others_sell(day: int, units: float) -> None:
    records = chain()
    true = records.sales[20, day]
    records.sales[20, day] = units
    panel = cleaned(records)
    assert np.argwhere(panel.status == OUTLIER).tolist() == [[20, day]]
    assert panel.sales[20, day] < 10 * max(true, 3)


def test_a_series_that_has_no_peers_is_judged_as_soon_as_it_has_sold_on_three_days() -> None:
    records = chain(1, 1, days=20)
    records.sales[0] = [4, 9, 1e12, 6, 1e12, *[5] * 15]
    assert outliers(records) == [[0, 4]]


def test_large_new_series_stores_and_items_are_believed() -> None:
    records = chain()
    assert outliers(records) == []
    records.sales[:, :60] = np.where(records.item[:, None] == 5, np.nan, records.sales[:, :60])  # the largest item is launched
    records.row[:] = ~np.isnan(records.sales)
    assert outliers(records) == []
    records.sales[records.store == 4, :60] = np.nan  # a store opens, with five times the sales of the others
    records.sales[records.store == 4] *= 5
    records.row[:] = ~np.isnan(records.sales)
    assert outliers(records) == []
    alone = replace(chain(1, 8), sales=chain(1, 8).sales * np.where(np.arange(8) == 7, 40, 1).astype("f4")[:, None])
    assert outliers(alone) == []  # no other store tells what the item sells


def test_a_rare_seller_has_no_usual_day_and_is_judged_all_the_same() -> None:
    records = chain()
    rare = np.random.default_rng(1).poisson(0.1, 120).astype("f4")
    records.sales[3] = rare
    assert outliers(records) == []
    records.sales[3, 100] = 1e6
    assert outliers(records) == [[3, 100]]
