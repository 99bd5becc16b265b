"""What holidays and other events do to sales: a factor per event and place in or around it, aligned at its first and last day.

A label is an event's name and a place: two days before it, a day of it, its second day, the day after it. Each time that an
event happens is one observation of its labels: sales of all series beside what is expected without the label. Labels are pulled
to 1 by empirical Bayes (Efron & Morris 1973), as far as chance and the differences between times explain them; the deviations of
items, and then of stores, are pulled to the label's effect. Labels of one day are fitted one after the other, and in turn with
month and weekday, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from demand.panel.panel import Panel
from demand.panel.store_events import EventDays, event_days

Label = tuple[str, str]


@dataclass(frozen=True)
class CalendarEffect:
    """Log factors of L labels.

    Attributes:
        labels: event and place.
        pooled: (L,) float32, of all series.
        items, stores: ids that were fitted.
        by_item, by_store: (ids + 1, L) float32, what they add to it; the last row, zeros, is for ids that were not fitted.
    """

    labels: tuple[Label, ...]
    pooled: np.ndarray
    items: np.ndarray
    stores: np.ndarray
    by_item: np.ndarray
    by_store: np.ndarray

    def on(self, panel: Panel, days: int | None = None, event: str | None = None,
           ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each calendar of the panel: positions of its series (n,), days (U,) with effects, and factors (n, U) float32.

        Args:
            days: how many of the panel's days are looked at; None for all.
            event: the name of the only event whose effects are wanted; None for all events together.
        """
        code = {label: number for number, label in enumerate(self.labels) if event in (None, label[0])}
        item, store = rows_of_ids(self.items, panel.item), rows_of_ids(self.stores, panel.store)
        parts = []
        for series, marked in calendars(panel, len(panel.dates) if days is None else days):
            label = np.array([code.get(key, -1) for key in labels_of(marked)], int)
            known = label >= 0
            used, at = np.unique(marked.day[known], return_inverse=True)
            log = np.zeros((len(series), len(used)), "f4")
            effect = self.pooled + self.by_item[item[series]] + self.by_store[store[series]]
            for column, which in zip(at.tolist(), label[known].tolist(), strict=True):
                log[:, column] += effect[:, which]
            parts.append((series, used, np.exp(log)))
        return parts

    def applied(self, shape: np.ndarray, panel: Panel, event: str | None = None) -> np.ndarray:
        """`shape` (S, D) times the effects, in place; of one event, or of all."""
        for series, days, factor in self.on(panel, event=event):
            shape[np.ix_(series, days)] *= factor
        return shape

    def parts(self, panel: Panel) -> Iterator[tuple[str, np.ndarray]]:
        """Name and (S, D) float64 factor of each event that has an effect on one of the panel's days in any store."""
        first, by_store = panel.dates[0].astype(object), panel.events.by_store if panel.events else {}
        on_days = {label for events in by_store.values() for label in labels_of(event_days(events, first, len(panel.dates)))}
        for name in sorted({name for name, _ in on_days.intersection(self.labels)}):
            yield f"event:{name}", self.applied(np.ones((panel.n_series, len(panel.dates))), panel, name)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Named arrays without objects."""
        ids = {"calendar_items": self.items, "calendar_stores": self.stores}
        return {"calendar_labels": np.array(self.labels, "U").reshape(-1, 2), "calendar_pooled": self.pooled,
                **{name: each if each.dtype.kind in "iu" else each.astype("U") for name, each in ids.items()},
                "calendar_by_item": self.by_item, "calendar_by_store": self.by_store}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> CalendarEffect | None:
        """The inverse of to_arrays; None where there are no such arrays."""
        if "calendar_labels" not in arrays:
            return None
        return cls(tuple((name, place) for name, place in arrays["calendar_labels"].tolist()),
                   *(arrays[f"calendar_{name}"] for name in ("pooled", "items", "stores", "by_item", "by_store")))


def calendars(panel: Panel, days: int) -> list[tuple[np.ndarray, EventDays]]:
    """The series of each calendar of the panel, and its labelled days among the first `days` ones, if it has any."""
    if panel.events is None:
        return []
    first = panel.dates[0].astype(object)
    found = [(series, event_days(events, first, days)) for events, series in panel.events.groups(panel.store)]
    return [(series, marked) for series, marked in found if len(marked.day)]


def labels_of(marked: EventDays) -> list[Label]:
    """(N) labels of a calendar's days."""
    return list(zip(marked.names, marked.places, strict=True))


def rows_of_ids(fitted: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(S,) position of each id among those that were fitted; behind the last where it is not."""
    code = {each: number for number, each in enumerate(fitted.tolist())}
    return np.array([code.get(each, len(code)) for each in ids.tolist()], int)
