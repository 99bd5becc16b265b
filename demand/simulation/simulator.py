"""The embedded data set: a chain of stores that sells like retail.

The mean of a day is a product of effects (effects.py), the count around it negative binomial. Every effect has its own random
stream, drawn day after day: more years only append days, and switching one effect on leaves the others alone. A catalogue
(catalogue.py) sells irregularly on top of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_arrow
from demand.panel.calendar import weekdays
from demand.schema.errors import UserError
from demand.simulation import effects
from demand.simulation.catalogue import Catalogue, draw_catalogue, giant_orders
from demand.simulation.demo_params import DemoParams
from demand.simulation.feasts import feast_effects

DRIFT_DAYS = 56  # of a drift without a start


@dataclass(frozen=True)
class Chain:
    """D days × S series, sorted by store, then item.

    Attributes:
        store, item: (S,) ids from 1.
        dates: (D,) datetime64[D]; those from `sold` on have no sales yet.
        units: (D, S) int64, units per day, 0 where closed.
        promo, open: (D, S) bool.
        row: (D, S) bool, False where the source has no row.
        catalogue: what a catalogue adds; None without one.
        expected: (D, S) float64, the mean that the units were drawn around, 0 where closed or off sale; None without a catalogue
            and giant orders.
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sold: int
    units: np.ndarray
    promo: np.ndarray
    open: np.ndarray
    row: np.ndarray
    catalogue: Catalogue | None = None
    expected: np.ndarray | None = None


def generate(demo: DemoParams) -> Chain:
    """The chain's sales, the same for the same parameters."""
    streams = iter([np.random.Generator(np.random.PCG64(seed)) for seed in np.random.SeedSequence(demo.seed).spawn(15)])
    stream = streams.__next__
    store, item = (ids.ravel() for ids in np.indices((demo.stores, demo.items)))
    first = np.datetime64(demo.start, "D")
    sold = effects.days_in(first, demo.years)
    dates = first + np.arange(sold + demo.future_days)
    trade = effects.SIX_DAYS if demo.closed_days else effects.SEVEN_DAYS

    level = np.log(demo.level) + effects.levels(stream(), store, item)
    week = effects.weekday_profiles(stream(), trade, store, item)
    season = demo.seasonality * effects.yearly_waves(stream(), trade, dates, item)
    growth = effects.growth(stream(), dates, demo.growth)
    wander = effects.wander(stream(), len(dates), len(store), demo.noise)
    shifts = effects.level_shifts(stream(), len(dates), len(store), demo.level_shifts)
    promo, uplift = effects.promotions(stream(), dates, len(store))
    opened, eve = effects.opening(stream(), dates, store)
    row = effects.rows(stream(), len(dates), store)
    if not demo.promotions:
        promo[:] = False
    if not demo.closed_days:
        opened[:], eve[:], row[:] = True, False, True

    mean = level + week[weekdays(dates)] + season + growth[:, None] + wander + shifts
    mean += effects.month_edge(trade, dates)[:, None] + promo * uplift + 0.12 * eve
    counting, which, drifting, listing, ordering, feasting = streams
    if demo.feasts:
        mean += demo.feasts * feast_effects(feasting, dates, store, item)
    catalogue = draw_catalogue(listing, len(dates), store, item) if demo.catalogue else None
    if catalogue:
        mean += catalogue.effect
    least = 0 if catalogue else 1
    units = effects.counts(counting, mean, demo.noise, least)
    start = drift_start(demo, dates[:sold])
    drifted = (dates >= start)[:, None] & (which.random(len(store)) < demo.drift.share) & (demo.drift.kind != "none")
    mean += drifted * effects.drift(demo.drift.kind, demo.drift.size, dates, start, week, season)
    noise = demo.noise * (1 + demo.drift.size) if demo.drift.kind == "noise" else demo.noise
    units[drifted] = effects.counts(drifting, mean[drifted], noise, least)
    chain = Chain(store + 1, item + 1, dates, sold, np.where(opened, units, 0), promo, opened, row, catalogue)
    return irregular(chain, np.exp(mean), demo.giant_orders, ordering) if catalogue or demo.giant_orders else chain


def irregular(chain: Chain, expected: np.ndarray, share: float, rng: np.random.Generator) -> Chain:
    """The chain with giant orders on a share of the days, without sales and rows where its catalogue has none.

    Args:
        expected: (D, S) mean of the units as they were drawn.
    """
    ordered, expected_orders = giant_orders(rng, expected, share)
    on_sale = chain.catalogue.on_sale & chain.open if chain.catalogue else chain.open
    row = chain.row & chain.catalogue.row if chain.catalogue else chain.row.copy()
    row[chain.sold:] |= row[:chain.sold].any(axis=0)  # what was listed once has rows for the days to forecast
    return replace(chain, units=np.where(on_sale, chain.units + ordered, 0), row=row,
                   expected=np.where(on_sale, expected + expected_orders, 0))


def drift_start(demo: DemoParams, dates: np.ndarray) -> np.datetime64:
    """The first drifted day."""
    start = np.datetime64(demo.drift.start, "D") if demo.drift.start else dates[-DRIFT_DAYS:][0]
    if demo.drift.kind != "none" and not dates[0] <= start <= dates[-1]:
        raise UserError(f"params.yaml: demo.drift.start = {start} lies outside the demo's days {dates[0]} … {dates[-1]}")
    return start


def to_table(chain: Chain, promotions: bool, closed_days: bool) -> pa.Table:
    """One row per store, item and day in the competition's columns, sorted by store, item, date; `sales` null in future rows."""
    series, day = np.nonzero(chain.row.T)
    columns = {
        "date": to_arrow(chain.dates[day]),
        "store": to_arrow(chain.store[series]),
        "item": to_arrow(chain.item[series]),
        "sales": to_arrow(chain.units[day, series], missing=day >= chain.sold),
    }
    if promotions:
        columns["promo"] = to_arrow(chain.promo[day, series].astype(np.int8))
    if closed_days:
        columns["open"] = to_arrow(chain.open[day, series].astype(np.int8))
    if chain.catalogue:
        columns["price"] = to_arrow(chain.catalogue.price[day, series])
    return pa.table(columns)
