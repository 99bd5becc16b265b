"""The demo's catalogue: irregular where it is switched on, and nothing else changes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from pyarrow import csv

from demand.cleaning.cleaning_report import prepare_rows
from demand.ingest.table_reader import source_of_table
from demand.simulation.demo_params import DemoParams
from demand.simulation.simulator import Chain, generate, to_table
from stages import demo
from tests.support.examples import PARAMS
from workspace.run.all_params import parse_params

SIZE = {"stores": 6, "items": 40, "years": 3.0, "level": 4.0}
CATALOGUE = DemoParams.model_validate(PARAMS["demo"] | SIZE | {"catalogue": True})
DEFAULT_DEMO = "6921318a05fa23618fc8cc1f12008c9f"  # as in data/demo/dvc.lock before there were catalogues


def changed(**changes: object) -> DemoParams:
    return DemoParams.model_validate(CATALOGUE.model_dump() | changes)


@pytest.fixture(scope="module")
def catalogue() -> Chain:
    return generate(CATALOGUE)


def test_the_demo_without_a_catalogue_is_the_same_to_the_byte(project):
    root = project()
    demo.main()
    assert hashlib.md5((root / "data/demo/sales.csv").read_bytes()).hexdigest() == DEFAULT_DEMO


def test_more_years_only_append_days_and_orders_leave_the_rest_alone(catalogue: Chain):
    longer = generate(changed(years=3.6))
    days = len(catalogue.dates)
    for name in ("units", "expected", "row"):
        np.testing.assert_array_equal(getattr(longer, name)[:days], getattr(catalogue, name))
    np.testing.assert_array_equal(longer.catalogue.price[:days], catalogue.catalogue.price)
    orders = generate(changed(giant_orders=0.004))
    np.testing.assert_array_equal(orders.catalogue.price, catalogue.catalogue.price)
    more = orders.units - catalogue.units
    assert (more >= 0).all()
    assert 0.001 < (more > 0)[catalogue.catalogue.on_sale].mean() < 0.005


def test_the_true_mean_is_what_sells_on_average(catalogue: Chain):
    on = catalogue.catalogue.on_sale
    assert (catalogue.units[~on] == 0).all()
    assert (catalogue.expected[~on] == 0).all()
    assert catalogue.units.sum() == pytest.approx(catalogue.expected.sum(), rel=0.01)
    assert catalogue.units[on].var() > catalogue.units[on].mean()
    orders = generate(changed(giant_orders=0.02))
    assert orders.units.sum() == pytest.approx(orders.expected.sum(), rel=0.1)  # sizes of infinite variance
    assert orders.expected.sum() == pytest.approx(1.2 * catalogue.expected.sum())


def test_a_catalogue_is_irregular(catalogue: Chain):
    lives = catalogue.catalogue
    sold, row, on = catalogue.units, catalogue.row, lives.on_sale
    daily = np.where(on, sold, 0).sum(axis=0) / np.maximum(on.sum(axis=0), 1)
    assert np.quantile(daily[on.any(axis=0)], 0.1) < 1
    assert np.quantile(daily, 0.9) > 10
    launched = ~row[0] & row.any(axis=0)
    assert 0.15 < launched.mean() < 0.45
    last = row.shape[0] - 1
    ended_rows = row.any(axis=0) & ~row[last]
    end_of_sale = last - on[::-1].argmax(axis=0)
    zeros_to_the_end = row[last] & on.any(axis=0) & (last - end_of_sale > 200)
    assert ended_rows.sum() > 5
    assert zeros_to_the_end.sum() > 5
    back = (~on[:-1] & on[1:] & row[:-1]).sum()  # out of stock with rows, then back
    assert back > 50
    assert not (on & ~row).any()


def test_prices_move_and_move_sales(catalogue: Chain):
    price, on = catalogue.catalogue.price, catalogue.catalogue.on_sale
    assert (price > 0).all()
    usual = np.median(price, axis=0)
    cheap, dear = on & (price < 0.85 * usual), on & (np.abs(price / usual - 1) < 0.05)
    assert 0.01 < cheap.mean() < 0.2
    both = cheap.any(axis=0) & dear.any(axis=0) & (catalogue.units.mean(axis=0) > 3)
    uplift = [catalogue.units[cheap[:, s], s].mean() / catalogue.units[dear[:, s], s].mean() for s in np.flatnonzero(both)]
    assert 1.1 < np.median(uplift) < 2.5


def test_the_pipeline_reads_it(project):
    root = project({f"demo.{key}": value for key, value in (SIZE | {"catalogue": True, "future_days": 90}).items()})
    demo.main()
    table = csv.read_csv(root / "data/demo/sales.csv")
    assert table.column_names == ["date", "store", "item", "sales", "price"]
    settings = parse_params(PARAMS | {"data": PARAMS["data"] | {"known_future": ["price"]}})
    panel, _ = prepare_rows(source_of_table(table, settings.data), settings.data, settings.prepare, 28)
    assert 150 < panel.n_series <= 240


def test_without_prices_and_catalogue_the_table_has_no_such_column():
    assert to_table(generate(changed(catalogue=False)), False, False).column_names == ["date", "store", "item", "sales"]
