"""Broken feeds: the pipeline's own cleaning sees them first, and the judgement must not take them for drift."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from bench.drift.champion import FIRST, Watched, with_sales
from demand.cleaning.clean_panel import clean
from demand.cleaning.prepare_params import PrepareParams
from demand.drift import inactive_series
from demand.drift.findings import drifted
from demand.drift.measures import REVIEW
from demand.drift.monitor import Watch
from demand.ingest.records import Records
from demand.panel.panel import Panel

KINDS = {
    "dead_store": "a store that sells nothing any more",
    "missing_store": "a store whose rows are missing",
    "missing_rows": "three in ten rows are missing",
}
FOLLOW = 28  # days
GAPS = 0.3


def spoil(panel: Panel, kind: str, first: np.datetime64, rules: PrepareParams, rng: np.random.Generator) -> Panel:
    """The panel as the pipeline cleans it when the feed is broken for FOLLOW days from `first` on; it ends with them."""
    start = panel.column(first)
    stop = start + FOLLOW
    sales = panel.recorded[:, :stop].copy()
    store = panel.store == rng.choice(np.unique(panel.store))
    days = np.arange(stop) >= start
    if kind == "dead_store":
        sales[np.ix_(store, days)] = np.where(np.isnan(sales[np.ix_(store, days)]), np.nan, 0)
    elif kind == "missing_store":
        sales[np.ix_(store, days)] = np.nan
    else:
        sales[:, days] = np.where(rng.random((len(sales), days.sum())) < GAPS, np.nan, sales[:, days])
    known = panel.known[:, :stop]
    records = Records(panel.store, panel.item, panel.dates[:stop], sales, ~np.isnan(sales), known, panel.known_names)
    return clean(records, stop - 1, rules)


def told(watch: Watch, days: range) -> int | None:
    """Days until a data problem is told on the day itself."""
    for day in days:
        at = watch.model.trained_through + day
        if inactive_series.problems(watch.panel, inactive_series.find_inactive(watch.panel, at, watch.rules.silent_days), at):
            return day - days.start + 1
    return None


def checked(watched: Watched, rules: PrepareParams, count: int, rng: np.random.Generator) -> dict[str, dict[str, int]]:
    """Per kind: replays, those on which drift was confirmed, and those whose problem was told within 14 days."""
    found = {}
    for kind in KINDS:
        seen = Counter(replays=0, drift=0, told=0)
        for onset in rng.integers(FIRST, watched.days - FOLLOW + 1, count):
            first = watched.watch.model.trained_through + onset
            panel = spoil(watched.watch.panel, kind, first, rules, rng)
            near = {start: made for start, made in watched.forecasts.items() if onset - 2 * REVIEW <= start < onset}
            watch = with_sales(replace(watched, forecasts=near), panel, onset)
            days = range(int(onset), int(onset) + FOLLOW)
            late, confirmed = told(watch, days), any(drifted(watch.findings_on(day)) for day in days)
            seen.update(replays=1, drift=confirmed, told=late is not None and late <= 14)
        found[kind] = dict(seen)
    return found
