"""Events of stores: public holidays, fairs, Ramadan. Known ahead, and the same for all series of a store."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

LONGEST_POSITION = 7  # days of an event that are told apart; later ones have the effect of all its days
METADATA = b"events"  # key in a table's metadata


@dataclass(frozen=True, order=True)
class Event:
    """One time that something happens, from its first to its last day; `before` and `after`: days around it that it changes."""

    name: str
    first: date
    last: date
    before: int
    after: int


@dataclass(frozen=True)
class EventDays:
    """N days of one calendar that carry a label; a day may carry several.

    Attributes:
        names: (N,) of the events; places: (N,) "-2" is two days before one, "0" any day of it, "day 2" its second day, "+1" the
            day after it.
        day: (N,) positions on the time axis.
        start: (N,) ordinals of the event's first day: the same for all days of one time that it happens.
    """

    names: tuple[str, ...]
    places: tuple[str, ...]
    day: np.ndarray
    start: np.ndarray


@dataclass(frozen=True)
class StoreEvents:
    """`by_store`: the sorted events of each store that has any."""

    by_store: Mapping[int | str, tuple[Event, ...]]

    def cut(self, through: date, stores: Collection[int | str]) -> StoreEvents | None:
        """What is over or under way on a day, of some stores; None where that is nothing."""
        kept = {store: tuple(replace(event, last=min(event.last, through)) for event in events if event.first <= through)
                for store, events in self.by_store.items() if store in stores}
        kept = {store: events for store, events in kept.items() if events}
        return StoreEvents(kept) if kept else None

    def groups(self, store: np.ndarray) -> list[tuple[tuple[Event, ...], np.ndarray]]:
        """Each distinct calendar of the series' stores (S,), and the positions of the series that follow it."""
        stores, code = np.unique(store, return_inverse=True)
        followers: dict[tuple[Event, ...], list[int]] = {}
        for number, each in enumerate(stores.tolist()):
            if events := self.by_store.get(each):
                followers.setdefault(events, []).append(number)
        return [(events, np.flatnonzero(np.isin(code, numbers))) for events, numbers in followers.items()]

    def to_json(self) -> str:
        """One text for the same events, whatever order they came in."""
        followers: dict[tuple[Event, ...], list[int | str]] = {}
        for store in sorted(self.by_store, key=lambda each: (isinstance(each, str), each)):
            followers.setdefault(self.by_store[store], []).append(store)
        return json.dumps([{"stores": stores, "events": [astuple(event) for event in events]}
                           for events, stores in followers.items()], default=date.isoformat, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> StoreEvents:
        """The inverse of to_json."""
        by_store = {}
        for group in json.loads(text):
            events = tuple(Event(name, date.fromisoformat(first), date.fromisoformat(last), before, after)
                           for name, first, last, before, after in group["events"])
            by_store.update(dict.fromkeys(group["stores"], events))
        return cls(by_store)


@lru_cache(maxsize=256)
def event_days(events: tuple[Event, ...], first: date, days: int) -> EventDays:
    """The labelled days of one calendar on an axis of `days` days from `first` on, sorted by name, place and day."""
    found: dict[tuple[str, str, int], int] = {}
    for event in events:
        start, stop = (event.first - first).days, (event.last - first).days
        places = [(start - k, f"-{k}") for k in range(event.before, 0, -1)]
        places += [(day, "0") for day in range(start, stop + 1)]
        places += [(start + k, f"day {k + 1}") for k in range(min(stop - start + 1, LONGEST_POSITION)) if stop > start]
        places += [(stop + k, f"+{k}") for k in range(1, event.after + 1)]
        for day, place in places:
            if 0 <= day < days:
                found[event.name, place, day] = event.first.toordinal()
    keys = sorted(found)
    return EventDays(tuple(name for name, _, _ in keys), tuple(place for _, place, _ in keys),
                     np.array([day for _, _, day in keys], int), np.array([found[key] for key in keys], int))


def joined(events: Collection[Event]) -> tuple[Event, ...]:
    """Sorted events, those of one name on consecutive days as one."""
    result: list[Event] = []
    for event in sorted(set(events)):
        previous = result[-1] if result else None
        if previous and previous.name == event.name and event.first <= previous.last + timedelta(days=1):
            result[-1] = replace(previous, last=max(previous.last, event.last))
        else:
            result.append(event)
    return tuple(result)
