"""Forecasts of sums as a table, with intervals that know how errors go together: data/forecast/totals.parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demand.distribution.groups import Groups
from demand.distribution.joint_error import JointError
from demand.distribution.sums import SumForecast, forecast_sums
from demand.panel.arrow import to_arrow
from demand.panel.attributes import categories_of
from demand.panel.forecast import LEVELS, Forecast
from demand.panel.panel import Panel

SPANS = (7, 28)  # days, counted from the origin


@dataclass(frozen=True)
class Sums:
    """One way to sum: `level` names it; `rows` (N,) series of the panel, `group` (N,) int codes of the sum that each is in.

    `store`, `item`, `category` (G,) of each sum: null where it is over all of them.
    """

    level: str
    rows: np.ndarray
    group: np.ndarray
    store: pa.Array
    item: pa.Array
    category: pa.Array


def totals_table(panel: Panel, made: Forecast, error: JointError) -> pa.Table:
    """One row per sum, sorted by level (all, store, item, attributes, series), then what it is of, days and start.

    Columns: level, store, item, category (null where summed over), start (first day), days (7 or 28, counted from the origin),
    forecast, and lo_80, hi_80, lo_95, hi_95, units over these days. The level of an attribute of the items or stores is
    item.NAME or store.NAME; series without a category are in none of its sums.
    """
    codes = Groups.of(panel.store, panel.item)
    return pa.concat_tables([table_of(sums, codes, made, error) for sums in ways_to_sum(panel, codes)])


def table_of(sums: Sums, codes: Groups, made: Forecast, error: JointError) -> pa.Table:
    """The rows of one level."""
    spans = [(days, start) for days in SPANS for start in range(0, made.point.shape[1] - days + 1, days)]
    found = [forecast_sums(error, made.point[sums.rows, start:start + days], start + 1, codes.store[sums.rows],
                           codes.item[sums.rows], sums.group) for days, start in spans]
    count = len(sums.store)
    which, span = np.repeat(np.arange(count), len(spans)), np.tile(np.arange(len(spans)), count)
    table = {"level": to_arrow(np.full(len(which), sums.level, object))}
    table |= {name: getattr(sums, name).take(to_arrow(which)) for name in ("store", "item", "category")}
    table |= {"start": to_arrow((made.origin + 1 + np.array([start for _, start in spans], int))[span].astype("M8[D]")),
              "days": to_arrow(np.array([days for days, _ in spans], "i2")[span])}
    return pa.table(table | {name: to_arrow(values.T.ravel().astype("f4")) for name, values in columns_of(found, count)})


def columns_of(found: list[SumForecast], count: int) -> Iterator[tuple[str, np.ndarray]]:
    """The forecast and the ends of its intervals (spans, G)."""
    yield "forecast", np.array([sums.mean for sums in found]).reshape(-1, count)
    for percent in LEVELS:
        ends = np.array([sums.interval(percent) for sums in found]).reshape(-1, 2, count)
        yield f"lo_{percent}", ends[:, 0]
        yield f"hi_{percent}", ends[:, 1]


def ways_to_sum(panel: Panel, codes: Groups) -> Iterator[Sums]:
    """Everything, stores, items, the categories of their attributes, single series."""
    everyone = np.arange(panel.n_series)
    stores, items = np.unique(panel.store), np.unique(panel.item)

    def ids(values: np.ndarray, count: int | None = None) -> pa.Array:
        return to_arrow(values) if count is None else pa.nulls(count, to_arrow(values).type)

    def none(count: int) -> pa.Array:
        return pa.nulls(count, pa.string())

    yield Sums("all", everyone, codes.by("all"), ids(stores, 1), ids(items, 1), none(1))
    yield Sums("store", everyone, codes.store, ids(stores), ids(items, len(stores)), none(len(stores)))
    yield Sums("item", everyone, codes.item, ids(stores, len(items)), ids(items), none(len(items)))
    for level, category in categories(panel):
        known = np.flatnonzero([each is not None for each in category])
        names, group = np.unique(np.array(category, object)[known].astype(str), return_inverse=True)
        count = len(names)
        yield Sums(level, known, group, ids(stores, count), ids(items, count), to_arrow(names.astype(object)))
    yield Sums("series", everyone, everyone, ids(panel.store), ids(panel.item), none(len(everyone)))


def categories(panel: Panel) -> Iterator[tuple[str, list[str | None]]]:
    """Level and category of every series, per attribute of the items and stores."""
    known = panel.attributes
    for key, ids, table in (("item", panel.item, known and known.items), ("store", panel.store, known and known.stores)):
        for name, category in categories_of(ids, table or {}).items():
            yield f"{key}.{name}", category
