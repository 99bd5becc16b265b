"""The file of own events, `data.events`: name, first_day, last_day, and where needed store, days_before, days_after."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from demand.ingest.csv_dialect import BOM, as_utf8
from demand.ingest.public_holidays import AFTER, BEFORE, StoreId, hint
from demand.panel.store_events import Event
from demand.schema.errors import UserError

NEEDED = ("name", "first_day", "last_day")
OPTIONAL = ("store", "days_before", "days_after")
LONGEST, WIDEST = 366, 60  # days of an event, and on each side of it
SHOWN = 5  # rows that a message names


def read_events(data: pa.Buffer, file: str, stores: Sequence[StoreId]) -> dict[StoreId, list[Event]]:
    """The events of each store; a row without a store is of all of them.

    An empty last day is the first one; days_before and days_after default to those of public holidays.

    Raises:
        UserError: names each row that cannot be used, by its line.
    """
    text = as_utf8(data, file, None)[0].to_pybytes().removeprefix(BOM).decode()
    header, _, _ = text.partition("\n")
    separator = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    names = [name.strip() for name in next(rows, [])]
    if missing := [name for name in NEEDED if name not in names]:
        raise UserError(f"{file} has no column {missing[0]!r}: data.events needs {', '.join(NEEDED)}, and may have "
                        f"{', '.join(OPTIONAL)}; found {', '.join(map(repr, names))[:300]}")
    by_name, wrong = {str(store): store for store in stores}, []
    found: dict[StoreId, list[Event]] = {store: [] for store in stores}
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            event, store = one_event(dict(zip(names, (cell.strip() for cell in cells), strict=False)), by_name)
            places = list(stores) if store is None else [store]
            for place in places:
                if any(overlaps(event, other) for other in found[place]):
                    raise ValueError(f"{event.name!r} of store {place} overlaps an earlier row of that name: join the two")
            for place in places:
                found[place].append(event)
        except ValueError as problem:
            wrong.append(f"line {rows.line_num}: {problem}")
    if wrong:
        more = f"\n  and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise UserError("\n  ".join([f"{file}: {len(wrong):,} rows cannot be used", *wrong[:SHOWN]]) + more)
    return found


def one_event(row: Mapping[str, str], stores: Mapping[str, StoreId]) -> tuple[Event, StoreId | None]:
    """The event of a row, and its store; a ValueError says what is wrong with it."""
    if not row.get("name"):
        raise ValueError("no name: fill it in")
    first = day_of(row, "first_day")
    last = day_of(row, "last_day") if row.get("last_day") else first
    if last < first:
        raise ValueError(f"last_day {last} is before first_day {first}: swap them")
    if (last - first).days >= LONGEST:
        raise ValueError(f"{first} to {last} is more than {LONGEST} days: write one row for each time that it happens")
    place = row.get("store") or None
    if place is not None and place not in stores:
        raise ValueError(f"the sales have no store {place!r}{hint(place, stores)}")
    around = (days_of(row, "days_before", BEFORE), days_of(row, "days_after", AFTER))
    return Event(row["name"], first, last, *around), None if place is None else stores[place]


def day_of(row: Mapping[str, str], column: str) -> date:
    """A day, written as YYYY-MM-DD."""
    text = row.get(column, "")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{column} {text!r} is no day: write YYYY-MM-DD") from None
    if not 1970 <= day.year <= 2099:
        raise ValueError(f"{column} {text!r}: write a day between 1970 and 2099")
    return day


def days_of(row: Mapping[str, str], column: str, default: int) -> int:
    """A number of days on one side of the event."""
    text = row.get(column, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text) <= WIDEST):
        raise ValueError(f"{column} {text!r} is no number of days: write 0 to {WIDEST}, or nothing for {default}")
    return int(text)


def overlaps(event: Event, other: Event) -> bool:
    return event.name == other.name and event.first <= other.last and other.first <= event.last
