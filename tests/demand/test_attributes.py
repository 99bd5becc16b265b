"""Attributes of items and stores: how they are read, what they tell of those that have sold little, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from demand.cleaning.cleaning_report import decisions, prepare
from demand.ingest.attribute_table import read_attributes
from demand.model.base.peers import fit_peers
from demand.model.demand_model import DemandModel
from demand.panel.attributes import Attributes
from demand.panel.lag_features import feature_table
from demand.panel.long_table import from_table, to_table
from demand.panel.training_window import cut_window
from demand.schema.errors import UserError
from tests.demand.panel.test_calendar_window import FIRST, THROUGH, written
from tests.stages.test_prepare import HEADER, params, text
from tests.support.panels import TRAIN, noisy, panel

ITEMS, STORES = 40, 6
BRANDS = np.array(["cheap", "dear"])


def read(content: str, ids: tuple[int | str, ...] = (1, 2)) -> dict[int | str, dict[str, str]]:
    return read_attributes(pa.py_buffer(content.encode()), "items.csv", "item", ids)


def test_one_row_an_item_and_any_columns():
    assert read("brand;item;size\nx;2;\ny;1;10\nz;99;3\n") == {2: {"brand": "x"}, 1: {"brand": "y", "size": "10"}}
    assert read("item\n") == {}
    assert read("item,brand\n007,x\n7,y\n", ("007",)) == {"007": {"brand": "x"}}


@pytest.mark.parametrize(("content", "message"), [
    ("id,brand\n1,x\n", r"items\.csv needs one column 'item' .*; found 'id', 'brand'"),
    ("item,brand,brand\n1,x,y\n", "a column of its own name for each"),
    ("item,brand\n1,x\n\n1,y\n", r"1 rows cannot be used\n  line 4: item '1' as in line 2: keep one row"),
    ("item,brand\n,x\n", "line 2: no item: fill it in"), ("item,brand\n1,a,b\n", "line 2: 3 values for 2 columns"),
])
def test_rows_that_cannot_be_used_are_named(content: str, message: str):
    with pytest.raises(UserError, match=message):
        read(content)


def levels(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, Attributes]:
    """Level, store and item of series whose item's brand makes a factor of four; and the attributes."""
    rng = np.random.default_rng(seed)
    store, item = (ids.ravel() for ids in np.indices((STORES, ITEMS)))
    dear = np.arange(ITEMS) % 2
    log = 2 + np.log(4) * dear[item] + rng.normal(0, 0.3, ITEMS)[item] + rng.normal(0, 0.3, STORES)[store]
    known = Attributes({i: {"brand": str(BRANDS[i % 2])} for i in range(ITEMS)}, {})
    return np.exp(log + rng.normal(0, 0.1, len(log))), store, item, known


def test_a_new_item_sells_what_its_brand_sells():
    level, store, item, known = levels()
    ones = np.ones(len(level))
    peers = fit_peers(level, 400 * ones, ones, store, item, known)
    new = replace(known, items={**known.items, 100: {"brand": "cheap"}, 101: {"brand": "dear"}, 102: {"brand": "new"}, 103: {}})
    ids = np.array([100, 101, 102, 103, 104])
    told = peers.level(np.zeros(5, int), ids, new)
    mean = [np.exp(np.log(level[(item % 2 == brand) & (store == 0)]).mean()) for brand in (0, 1)]
    assert told[:2] == pytest.approx(mean, rel=0.2)
    plain = fit_peers(level, 400 * ones, ones, store, item).level(np.zeros(5, int), ids)
    assert np.ptp(plain) == 0
    assert told[2:] == pytest.approx(np.full(3, np.sqrt(told[0] * told[1])), rel=0.1)


def test_items_that_were_fitted_keep_their_own_level():
    level, store, item, known = levels()
    ones = np.ones(len(level))
    with_brand, without = (fit_peers(level, 400 * ones, ones, store, item, attributes).level(store, item, attributes)
                           for attributes in (known, None))
    assert with_brand == pytest.approx(without, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_category_that_says_nothing_changes_next_to_nothing(seed: int):
    level, store, item, _ = levels(seed)
    names = np.random.default_rng(seed).choice(["a", "b", "c"], ITEMS).tolist()
    noise = Attributes({i: {"colour": name} for i, name in enumerate(names)}, {0: {"region": "x"}})
    ones = np.ones(len(level))
    told, plain = (fit_peers(level, 400 * ones, ones, store, item, attributes) for attributes in (noise, None))
    assert max(map(abs, told.of_items["colour"].values())) < 0.75  # by chance alone
    assert np.isfinite(told.level(store, item, noise)).all()
    assert told.level(store, item, noise) == pytest.approx(plain.level(store, item), rel=0.06)


def test_young_items_are_forecast_better_by_their_brand():
    """Eight items appear ten days before the end; the champion was trained before and has never seen them."""
    level, store, item, known = levels()
    rng = np.random.default_rng(1)
    sales = rng.poisson(level[:, None] * np.ones(500)).astype("f4")
    whole = replace(panel(noisy(sales)), store=store, item=item, sales=sales, recorded=sales.copy(), attributes=known)
    old = item < ITEMS - 8
    arrays = ("store", "item", "sales", "recorded", "status", "known")
    past = replace(whole, **{name: getattr(whole, name)[old] for name in arrays},
                   attributes=known.cut(set(range(ITEMS - 8)), set()))
    settings_ = TRAIN.model_copy(update={"base": "wandering_002_365"})
    status, late = whole.status.copy(), whole.sales.copy()
    status[~old, :498], late[~old, :498] = 5, np.nan
    now = replace(whole, status=status, sales=late)
    errors = []
    for attributes in (known, None):
        model = DemandModel.fit(replace(past, attributes=past.attributes if attributes else None), settings_, 28)
        made = model.predict(replace(now, attributes=attributes), now.last_day, 28).point[~old].sum(axis=1)
        errors.append(np.abs(np.log(made / (28 * level[~old]))).mean())
    assert errors[0] < 0.8 * errors[1]


def test_a_model_keeps_its_attributes_in_its_bytes():
    level, store, item, known = levels()
    sales = np.random.default_rng(1).poisson(level[:, None] * np.ones(200)).astype("f4")
    whole = replace(panel(sales), store=store, item=item, attributes=known)
    model = DemandModel.fit(whole, TRAIN, 14)
    again = DemandModel.from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    assert again.factors.attributes == known
    assert "attributes" not in model.facts


def prepared(days: int, items: str, stores: str) -> pa.Table:
    """Items 1 and 2 in store 1 from the first day on, item 3 in store 2 from day 400 on."""
    rows = [f"{FIRST + day},{store},{item},{day % 7 + 10 * item}" for store, item, first in ((1, 1, 0), (1, 2, 0), (2, 3, 400))
            for day in range(first, days)]
    chosen = params()
    tables = {"items": pa.py_buffer(items.encode()), "stores": pa.py_buffer(stores.encode())}
    made, metrics = prepare(pa.py_buffer(text(*rows, header=HEADER).encode()), chosen.data, chosen.prepare, 1, tables)
    assert decisions(metrics)[0].startswith("brand of ")
    return written(feature_table(from_table(written(to_table(made)))))


def window(*given: object) -> bytes:
    stream = pa.BufferOutputStream()
    parquet.write_table(cut_window(prepared(*given), THROUGH).combine_chunks(), stream)  # type: ignore[arg-type]
    return bytes(stream.getvalue())


def test_later_items_and_stores_leave_the_window_as_it_was_and_earlier_ones_do_not():
    items, stores = "item,brand\n1,x\n2,y\n", "store,region\n1,north\n"
    before = window(361, items, stores)
    assert window(500, items + "3,x\n4,z\n", stores + "2,south\n") == before
    assert window(361, "item,brand\n2,y\n1,x\n", stores) == before
    assert window(361, items.replace("2,y", "2,x"), stores) != before
    known = from_table(prepared(500, items + "3,x\n4,z\n", stores + "2,south\n")).attributes
    assert known == Attributes({1: {"brand": "x"}, 2: {"brand": "y"}, 3: {"brand": "x"}},
                               {1: {"region": "north"}, 2: {"region": "south"}})
