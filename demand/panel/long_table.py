"""The panel in its long form, one row per store, item and day: cleaned_data.parquet, feature_data.parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demand.panel import attributes as of_ids
from demand.panel import store_events
from demand.panel.arrow import to_arrow, to_numpy
from demand.panel.attributes import Attributes
from demand.panel.panel import ABSENT, STATUSES, Panel
from demand.panel.store_events import StoreEvents
from demand.schema.errors import UserError

STATUS_NAMES = to_arrow(np.array(STATUSES, object))
KEYS = ("store", "item", "date")
CLEANED = (*KEYS, "sales", "recorded", "status")


def from_table(table: pa.Table, known: tuple[str, ...] = ()) -> Panel:
    """Arrays from the long form, in any row order.

    Args:
        table: one row per store, item and day, with the columns CLEANED and the known-future columns.
        known: names of the known-future columns.
    """
    if table.num_rows == 0:
        raise UserError("the cleaned data has no rows")
    store, item, day, new_series = keys(table)
    if not in_order(store, item, day, new_series):
        table = table.sort_by([(key, "ascending") for key in KEYS])
        store, item, day, new_series = keys(table)
    row = np.cumsum(new_series) - 1
    first = day.min()
    col = (day - first).astype(int)
    shape = (int(row[-1]) + 1, int(col.max()) + 1)

    def grid(values: np.ndarray, empty: float, dtype: str) -> np.ndarray:
        out = np.full(shape, empty, dtype)
        out[row, col] = values
        return out

    def stack(names: tuple[str, ...]) -> np.ndarray:
        out = np.full((*shape, len(names)), np.nan, "f4")
        for k, name in enumerate(names):
            out[row, col, k] = to_numpy(table[name])
        return out

    status = to_numpy(pc.index_in(table["status"].cast(pa.string()), STATUS_NAMES))
    return Panel(store=store[new_series], item=item[new_series], dates=first + np.arange(shape[1]),
                 sales=grid(to_numpy(table["sales"]), np.nan, "f4"), recorded=grid(to_numpy(table["recorded"]), np.nan, "f4"),
                 status=grid(status, ABSENT, "u1"), known=stack(known), known_names=tuple(known), events=events_of(table),
                 attributes=attributes_of(table))


def wrong_columns(table: pa.Table, known: tuple[str, ...]) -> str:
    """What is wrong with the columns of a long table; empty where nothing is."""
    numbers = ("sales", "recorded", *known)
    for name in (*CLEANED, *known):
        if name not in table.column_names:
            return f"it has no column {name}"
        kind = table[name].type
        right = {"date": pa.types.is_date32(kind), "status": pa.types.is_dictionary(kind) or pa.types.is_string(kind),
                 **dict.fromkeys(("store", "item"), pa.types.is_int64(kind) or pa.types.is_string(kind))}
        if not right.get(name, pa.types.is_float32(kind)):
            return f"its column {name} holds {kind}"
        if name not in numbers and table[name].null_count:
            return f"its column {name} has empty rows"
    if pc.index_in(table["status"].cast(pa.string()), STATUS_NAMES).null_count:
        return f"its column status holds another word than {', '.join(STATUSES)}"
    return ""


def keys(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Store, item and day of each row, and whether the row begins another series than the one before."""
    store, item = (to_numpy(table[key]) for key in ("store", "item"))
    day = to_numpy(table["date"])
    return store, item, day, np.r_[True, (store[1:] != store[:-1]) | (item[1:] != item[:-1])]


def in_order(store: np.ndarray, item: np.ndarray, day: np.ndarray, new_series: np.ndarray) -> bool:
    """Whether the rows are sorted by store, item, date: then the sort, the dearest part of reading, can be left out."""
    starts = np.flatnonzero(new_series)
    store, item = store[starts], item[starts]
    series = (store[1:] > store[:-1]) | ((store[1:] == store[:-1]) & (item[1:] > item[:-1]))
    return bool(series.all() and ((day[1:] > day[:-1]) | new_series[1:]).all())


def to_table(panel: Panel) -> pa.Table:
    """The long form of the panel, sorted by store, item, date, without absent days; events and attributes are its metadata."""
    row, col = np.nonzero(panel.status != ABSENT)
    columns = {
        "store": to_arrow(panel.store).take(to_arrow(row)),
        "item": to_arrow(panel.item).take(to_arrow(row)),
        "date": to_arrow(panel.dates[col]),
        "sales": to_arrow(panel.sales[row, col]),
        "recorded": to_arrow(panel.recorded[row, col]),
        "status": pa.DictionaryArray.from_arrays(to_arrow(panel.status[row, col].astype("i1")), STATUS_NAMES),
    }
    for k, name in enumerate(panel.known_names):
        columns[name] = to_arrow(panel.known[row, col, k])
    return with_facts(pa.table(columns), panel.events, panel.attributes)


def events_of(table: pa.Table) -> StoreEvents | None:
    """The events of the stores, which stand in the table's metadata."""
    text = (table.schema.metadata or {}).get(store_events.METADATA)
    return None if text is None else StoreEvents.from_json(text)


def attributes_of(table: pa.Table) -> Attributes | None:
    """The attributes of items and stores, which stand there as well."""
    text = (table.schema.metadata or {}).get(of_ids.METADATA)
    return None if text is None else Attributes.from_json(text)


def with_facts(table: pa.Table, events: StoreEvents | None, attributes: Attributes | None) -> pa.Table:
    """The table with these events and attributes in its metadata, in place of any others."""
    facts = {store_events.METADATA: events, of_ids.METADATA: attributes}
    other = {key: value for key, value in (table.schema.metadata or {}).items() if key not in facts}
    return table.replace_schema_metadata(other | {key: fact.to_json() for key, fact in facts.items() if fact} or None)
