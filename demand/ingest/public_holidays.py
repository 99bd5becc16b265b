"""Public holidays per store, by the package `holidays`: its version decides numbers, so requirements-model.txt pins it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from demand.panel.store_events import Event, joined
from demand.schema.errors import UserError

BEFORE, AFTER = 7, 3  # days around a holiday or event that it may change
LANGUAGE = "en_US"  # of the names, which must not depend on the machine's locale
ESTIMATED = re.compile(r" \(estimated\)|, estimated(?=\))")  # in the name of a lunar holiday that is not yet fixed

StoreId = int | str


def places_of(places: Mapping[str, str], stores: Sequence[StoreId]) -> dict[StoreId, str]:
    """The place of each store that has one.

    Args:
        places: country, or country and subdivision (`DE-BY`), by the id of the store, alone or behind the word "store"; `default`
            is that of all others.

    Raises:
        UserError: a key is no store.
    """
    names = {str(store): store for store in stores}
    by_store: dict[StoreId, str] = {}
    for key, place in places.items():
        if key == "default":
            continue
        name = key if key in names else key.removeprefix("store ").strip()
        if name not in names:
            raise UserError(f"params.yaml: data.calendar names store {key!r}, which the sales have not got{hint(name, names)}")
        by_store[names[name]] = place
    if "default" in places:
        by_store = {store: by_store.get(store, places["default"]) for store in stores}
    return by_store


def public_holidays(place: str, first: date, last: date) -> tuple[Event, ...]:
    """The holidays of a place within the days `first` to `last`, those that take several days as one event.

    Raises:
        UserError: the package does not know the place; names those that are near.
    """
    import holidays

    country, _, division = place.partition("-")
    years = range(first.year, last.year + 1)
    try:
        found = named(holidays, country, division, years)
    except NotImplementedError:
        raise UserError(unknown_place(place, country, division)) from None
    events = [Event(ESTIMATED.sub("", name), day, day, BEFORE, AFTER) for day, names in found.items()
              for name in names.split("; ") if first - timedelta(days=AFTER) <= day <= last + timedelta(days=BEFORE)]
    return joined(events)


def named(holidays: Any, country: str, division: str, years: range) -> Mapping[date, str]:
    """The holidays of whole years, in English where the package has their names in English."""
    known = getattr(holidays.country_holidays(country), "supported_languages", ())
    language = LANGUAGE if LANGUAGE in known else None
    if language is None:
        language = getattr(holidays.country_holidays(country), "default_language", None)
    found: Mapping[date, str] = holidays.country_holidays(country, subdiv=division or None, years=years, language=language)
    return found


def unknown_place(place: str, country: str, division: str) -> str:
    """The message for a place that the package does not know."""
    import holidays
    from holidays.registry import COUNTRIES

    start = f"params.yaml: data.calendar: {place!r}: "
    supported = holidays.list_supported_countries()
    if country not in supported:
        codes = {code: code for code in supported} | {entry[0]: entry[1] for entry in COUNTRIES.values()}
        near = hint(country, codes) or "."
        return f"{start}there is no country {country!r}{near} Write its two letters, such as DE or DE-BY"
    divisions = list(supported[country])
    if not divisions:
        return f"{start}{country} has no subdivisions: write {country}"
    near = hint(division, {name: name for name in divisions}) or "."
    return f"{start}{country} has no subdivision {division!r}{near} It has {', '.join(divisions)}"


def hint(name: str, names: Mapping[str, object]) -> str:
    """Which of some names are near, as the end of a sentence; empty where none is."""
    lower = {each.lower(): each for each in names}
    near = [str(names[lower[each]]) for each in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)]
    return f": is it {' or '.join(dict.fromkeys(near))}?" if near else ""
