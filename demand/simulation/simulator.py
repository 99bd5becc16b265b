"""The embedded data set: a chain of stores that sells like retail.

The mean of a day is a product of effects (effects.py), the count around it negative binomial. Every effect has its own random
stream, drawn day after day: more years only append days, and switching one effect on leaves the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_arrow
from demand.schema.errors import UserError
from demand.simulation import effects
from demand.simulation.demo_params import DemoParams

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
    """

    store: np.ndarray
    item: np.ndarray
    dates: np.ndarray
    sold: int
    units: np.ndarray
    promo: np.ndarray
    open: np.ndarray
    row: np.ndarray


def generate(demo: DemoParams) -> Chain:
    """The chain's sales, the same for the same parameters."""
    seeds = iter(np.random.SeedSequence(demo.seed).spawn(12))

    def stream() -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(next(seeds)))

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

    mean = level + week[effects.weekday(dates)] + season + growth[:, None] + wander + shifts
    mean += effects.month_edge(trade, dates)[:, None] + promo * uplift + 0.12 * eve
    units = effects.counts(stream(), mean, demo.noise)
    start = drift_start(demo, dates[:sold])
    drifted = (dates >= start)[:, None] & (stream().random(len(store)) < demo.drift.share) & (demo.drift.kind != "none")
    mean += effects.drift(demo.drift.kind, demo.drift.size, dates, start, week, season)
    noise = demo.noise * (1 + demo.drift.size) if demo.drift.kind == "noise" else demo.noise
    units[drifted] = effects.counts(stream(), mean[drifted], noise)
    return Chain(store + 1, item + 1, dates, sold, np.where(opened, units, 0), promo, opened, row)


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
    return pa.table(columns)
