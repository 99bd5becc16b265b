"""Evidently's DataDriftPreset at its defaults, as it is usually set up: the last 90 days against the history trained on."""

from __future__ import annotations

import warnings
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import numpy as np

from bench.drift.champion import Watched, onsets
from bench.drift.injection import KINDS, inject
from demand.drift.measures import REVIEW
from demand.panel.calendar import CALENDAR, calendar
from demand.panel.lag_features import STATE, lag_features
from demand.panel.panel import Panel

CURRENT = 90  # days
YEAR = 364
ROWS = 5000


def drifted(panel: Panel, day: np.datetime64, trained: np.datetime64, season_matched: bool = False) -> bool:
    """What the preset says on a day: half of the columns or more differ. Its own count is asked for without its plots.

    The columns are those of feature_data.parquet: store, item, sales, calendar, lags and rolling means, known-future columns. The
    reference is all days up to the training, or, season-matched, the same 90 days a year before.
    """
    from evidently import Report
    from evidently.metrics import DriftedColumnsCount

    end = panel.column(day) + 1
    current = slice(end - CURRENT, end)
    reference = slice(current.start - YEAR, current.stop - YEAR) if season_matched else slice(0, panel.column(trained) + 1)
    with warnings.catch_warnings(), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        count = Report([DriftedColumnsCount()]).run(frame(panel, current), frame(panel, reference)).dict()["metrics"][0]
    return bool(count["value"]["share"] >= count["config"]["drift_share"])


def checked(watched: Watched, rng: np.random.Generator, checks: int, replays: int) -> dict[str, Any]:
    """Checks with a verdict of drift, of how many: without drift, at even distances, and four weeks after the start of each kind,
    with either reference."""
    panel, trained = watched.watch.panel, watched.watch.model.trained_through
    even = np.linspace(CURRENT, watched.days, checks).astype(int)
    found: dict[str, Any] = {"checks": checks, "replays": replays, "kinds": {}}
    for matched in (False, True):
        found["quiet_matched" if matched else "quiet"] = sum(drifted(panel, trained + day, trained, matched) for day in even)
    for kind in KINDS:
        hits = {False: 0, True: 0}
        told = onsets(watched, kind, replays, rng)
        for onset in told:
            changed = inject(panel, watched.factors, KINDS[kind], trained + onset, rng)
            for matched in hits:
                hits[matched] += drifted(changed, trained + onset + REVIEW - 1, trained, matched)
        found["kinds"][kind] = {"replays": len(told), "found": hits[False], "found_matched": hits[True]}
    return found


def frame(panel: Panel, days: slice):  # type: ignore[no-untyped-def]
    """ROWS rows drawn from the trading days, the same for the same data."""
    import pandas as pd

    features = lag_features(panel.extended(1))
    series, at = np.nonzero(panel.trading[:, days])
    if len(series) > ROWS:
        rows = np.random.default_rng(0).choice(len(series), ROWS, replace=False)
        series, at = series[rows], at[rows]
    at = at + days.start
    facts = calendar(panel.dates)
    columns = {"store": panel.store[series], "item": panel.item[series], "sales": panel.sales[series, at]}
    columns |= {name: facts[name][at] for name in CALENDAR}
    columns |= {name: features[series, at, f] for f, name in enumerate(STATE)}
    columns |= {name: panel.known[series, at, k] for k, name in enumerate(panel.known_names)}
    return pd.DataFrame(columns)
