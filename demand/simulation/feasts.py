"""What public holidays do to a chain's sales: a rush before, the day itself, a lull after; each feast, item and store its own."""

from __future__ import annotations

import numpy as np
from dateutil.easter import easter

from demand.simulation.effects import DAY, EASTER_HOLIDAYS, FIXED_HOLIDAYS

RUSH, LULL = 6, 2  # days before and after
FADES = 2.5  # days in which the rush fades to a third, backwards
OF_ITEMS, OF_STORES = 0.3, 0.15  # how items and stores differ, relative to the effect of their feast


def feast_effects(rng: np.random.Generator, dates: np.ndarray, store: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(D, S) log units: the effects of all German public holidays that add up on a day.

    Args:
        dates: (D,) days; store, item: (S,) codes.
    """
    feasts = len(FIXED_HOLIDAYS) + len(EASTER_HOLIDAYS)
    rush, lull = rng.uniform(0.15, 0.7, feasts), rng.uniform(-0.4, 0.0, feasts)
    day = rng.uniform(-0.7, 0.5, feasts)
    by_item = 1 + OF_ITEMS * rng.standard_normal((feasts, item.max() + 1))
    by_store = 1 + OF_STORES * rng.standard_normal((feasts, store.max() + 1))
    effect = np.zeros((len(dates), len(store)))
    for number, days in enumerate(feast_days(dates)):
        curve = {-k: rush[number] * np.exp(-(k - 1) / FADES) for k in range(1, RUSH + 1)}
        curve |= {0: day[number]} | {k: lull[number] / k for k in range(1, LULL + 1)}
        own = by_item[number, item] * by_store[number, store]
        for away, log in curve.items():
            effect[np.isin(dates, days + away * DAY)] += log * own
    return effect


def feast_days(dates: np.ndarray) -> list[np.ndarray]:
    """The days of each feast in the years of some dates, and the years around them."""
    first, last = (int(year) + 1970 for year in dates[[0, -1]].astype("M8[Y]").astype(int))
    years = range(first - 1, last + 2)
    fixed = [np.array([f"{year}-{month:02d}-{day:02d}" for year in years], "M8[D]") for month, day in FIXED_HOLIDAYS]
    return [*fixed, *(np.array([np.datetime64(easter(int(year))) + shift * DAY for year in years]) for shift in EASTER_HOLIDAYS)]


def near_feasts(dates: np.ndarray) -> np.ndarray:
    """(D,) bool: a feast, or one of the days around it that it changes."""
    days = np.concatenate(feast_days(dates))
    around = (days[:, None] + np.arange(-RUSH, LULL + 1)).ravel()
    return np.isin(dates, around)
