"""Public holidays on which a store was closed although the source does not say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from demand.cleaning.closed_days import implausible_zeros
from demand.ingest.records import Records
from demand.panel.panel import OPEN
from demand.panel.store_events import Event


def close_on_holidays(records: Records, end: int, holidays: Mapping[int | str, tuple[Event, ...]],
                      probability: float) -> tuple[Records, int]:
    """The records with stores closed on holidays on which none of their series has a value, or the store's zero is implausible.

    A single slow series cannot tell a closed day from a day without a sale; its store can. Each day is judged by the store's
    total up to it. Where the covariate `open` is known it alone decides. Also returns the number of store-days closed.

    Args:
        end: position of the last day that is seen.
        holidays: of each store.
    """
    if OPEN in records.known_names or not holidays:
        return records, 0
    stores, group = np.unique(records.store, return_inverse=True)
    shape = (len(stores), end + 1)
    total, stated = np.zeros(shape), np.zeros(shape, "i4")
    seen = records.sales[:, : end + 1]
    np.add.at(total, group, np.nan_to_num(seen))
    np.add.at(stated, group, ~np.isnan(seen))
    begun = np.cumsum(stated, axis=1) > 0
    sales = np.where(stated > 0, total, np.nan).astype("f4")
    zero = implausible_zeros(sales, begun, np.zeros(shape, bool), probability)
    closed = begun & ((stated == 0) | zero) & holiday_days(records.dates[: end + 1], stores, holidays)
    earlier = np.zeros(records.sales.shape, bool) if records.closed is None else records.closed.copy()
    earlier[:, : end + 1] |= closed[group]
    return replace(records, closed=earlier), int(closed.sum())


def holiday_days(dates: np.ndarray, stores: np.ndarray, holidays: Mapping[int | str, tuple[Event, ...]]) -> np.ndarray:
    """(stores, days) bool: the store has a holiday."""
    days = np.zeros((len(stores), len(dates)), bool)
    for row, store in enumerate(stores.tolist()):
        for event in holidays.get(store, ()):
            days[row] |= (dates >= np.datetime64(event.first)) & (dates <= np.datetime64(event.last))
    return days
