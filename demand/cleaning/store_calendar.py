"""The calendar of every store: public holidays of its place, and own events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from demand.ingest.data_params import DataParams
from demand.ingest.event_file import read_events
from demand.ingest.public_holidays import AFTER, StoreId, places_of, public_holidays
from demand.panel.store_events import Event, StoreEvents, joined

AHEAD = 2 * 366  # days after the last one with sales for which holidays are known


@dataclass(frozen=True)
class Calendar:
    """`holidays` and `own` events by store, and the places of the stores that have holidays."""

    holidays: dict[StoreId, tuple[Event, ...]]
    own: dict[StoreId, list[Event]]
    places: dict[StoreId, str]

    def begun(self, stores: np.ndarray, first: np.datetime64) -> StoreEvents | None:
        """The events of some stores that reach into the days from `first` on; None where there is none."""
        day = first.astype(object)
        by_store = {}
        for store in np.unique(stores).tolist():
            events = [*self.holidays.get(store, ()), *self.own.get(store, ())]
            near = [event for event in events if event.last + timedelta(days=event.after) >= day]
            if near:
                by_store[store] = tuple(sorted(near))
        return StoreEvents(by_store) if by_store else None

    def summary(self) -> str:
        """What was found, in words; empty where there is no calendar."""
        stores: dict[str, int] = {}
        for place in self.places.values():
            stores[place] = stores.get(place, 0) + 1
        parts = [f"public holidays of {place} in {count:,} store{'s' * (count > 1)}" for place, count in stores.items()]
        if names := {event.name for events in self.own.values() for event in events}:
            parts.append(f"{len(names):,} own event{'s' * (len(names) > 1)}")
        return ", ".join(parts)


def read_calendar(source: DataParams, file: pa.Buffer | None, stores: np.ndarray, dates: np.ndarray) -> Calendar:
    """The calendar of all stores of a source.

    Args:
        file: the content of `data.events`; None without it.
        stores: ids, in any order and number; dates: (D,) the days of the source.

    Raises:
        UserError: a place, store or row of the file cannot be used.
    """
    ids = np.unique(stores).tolist()
    places = places_of(source.calendar or {}, ids)
    first, last = dates[0].astype(object), dates[-1].astype(object) + timedelta(days=AHEAD)
    by_place = {place: public_holidays(place, first - timedelta(days=AFTER), last) for place in dict.fromkeys(places.values())}
    own = read_events(file, source.events, ids) if file is not None else {}
    return Calendar({store: by_place[place] for store, place in places.items()},
                    {store: list(joined(events)) for store, events in own.items() if events}, places)
