"""From a source file's bytes to the cleaned panel, with every change counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.holiday_closures import close_on_holidays
from demand.cleaning.missing_days import state_zeros
from demand.cleaning.prepare_params import PrepareParams
from demand.cleaning.store_calendar import read_calendar
from demand.cleaning.trailing_medians import WEEK
from demand.ingest import requirements
from demand.ingest.attribute_table import attributes_in_words, read_all_attributes
from demand.ingest.data_params import DataParams
from demand.ingest.many_files import read_files
from demand.ingest.records import Records, read_records
from demand.ingest.table_reader import Source
from demand.panel.calendar import weekdays
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OPEN, OUTLIER, Panel, is_past

STALE = 28  # days without any value of sales at the end of a series
NAMED = 10  # series named in the metrics
MUCH_INVENTED = 0.2  # share of all days
Tables = Mapping[str, pa.Buffer | None]
NONE: Tables = MappingProxyType({})


def prepare(data: pa.Buffer | Sequence[tuple[str, pa.Buffer]], source: DataParams, rules: PrepareParams,
            horizon: int, tables: Tables = NONE) -> tuple[Panel, dict[str, Any]]:
    """The cleaned panel of a source, and counts of what was changed on the way (metrics/prepare.json).

    Args:
        data: the source file's bytes; or name and bytes of several.
        tables: the bytes of data.events, data.items and data.stores, by `events`, `items`, `stores`.
    """
    files = [(source.source, data)] if isinstance(data, pa.Buffer) else data
    return prepare_rows(read_files(files, source), source, rules, horizon, tables)


def prepare_rows(read: Source, source: DataParams, rules: PrepareParams, horizon: int,
                 tables: Tables = NONE) -> tuple[Panel, dict[str, Any]]:
    """The same for rows that have been read.

    Args:
        horizon: days for which the known-future columns have to be there.
    """
    file = source.source
    stated, mended = read_records(read, source)
    as_of = None if source.as_of is None else np.datetime64(source.as_of, "D")
    end = requirements.last_day(stated, as_of, file)
    requirements.daily(stated, end, file)
    requirements.known_values(stated, end, horizon, file)
    completed, decided = state_zeros(stated, end, source.missing_days, source.adds_up)
    calendar = read_calendar(source, tables.get("events"), stated.store, stated.dates)
    attributes = read_all_attributes(source, tables, stated.item, stated.store)
    completed, closures = close_on_holidays(completed, end, calendar.holidays, rules.closed_probability)
    visible, last = visible_records(completed, end)
    panel = clean(visible, last, rules)
    panel = replace(panel, events=calendar.begun(panel.store, panel.dates[0]),
                    attributes=attributes.cut(set(panel.item.tolist()), set(panel.store.tolist())))
    return panel, {
        "rows_read": read.table.num_rows,
        "columns_ignored": ", ".join(name or "''" for name in read.ignored),
        **read.repairs,
        **mended,
        **decided,
        **({"attributes": names} if (names := attributes_in_words(panel.attributes)) else {}),
        **({"calendar": places, "store_days_closed_on_holidays": closures} if (places := calendar.summary()) else {}),
        "rows_hidden_by_as_of": int((~np.isnan(stated.sales[:, end + 1 :])).sum()),
        "series_not_begun": len(stated.store) - panel.n_series,
        **count_changes(visible, panel),
    }


def decisions(metrics: dict[str, Any]) -> list[str]:
    """One line for each thing that was decided for the user, from metrics/prepare.json."""
    lines = list(metrics["read_as"])
    if metrics["columns_ignored"]:
        lines.append(f"columns that nothing reads: {metrics['columns_ignored']}")
    if metrics["missing_days"]:
        lines.append(f"{metrics['missing_days']} (data.missing_days)")
    if metrics.get("attributes"):
        lines.append(f"{metrics['attributes']} (data.items, data.stores)")
    if metrics.get("calendar"):
        lines.append(f"{metrics['calendar']} (data.calendar, data.events)")
    if metrics.get("transactions_added_up"):
        lines.append(f"{metrics['transactions_added_up']:,} rows added to others of their day, {metrics['returns']:,} returns, "
                     f"{metrics['days_below_zero_set_to_0']:,} days below zero set to 0")
    if metrics["days_of_the_week"] == 1 and metrics["longest_series_days"] > 3 * WEEK:
        lines.append("sales of one weekday alone: weekly data, forecast on that weekday")
    invented = metrics["invented_days"] / max(metrics["series_days"], 1)
    if invented > MUCH_INVENTED:
        zeros = metrics["days_without_a_row"] == metrics["days_without_a_row_taken_as_zero"]
        remedy = ("no series of their store has any row: is the feed complete?" if zeros else
                  "if a day without a row means that nothing was sold, set data.missing_days: zero")
        lines.append(f"warning: {invented:.0%} of the series' days were filled with units that nobody recorded; {remedy}")
    return lines


def count_changes(visible: Records, panel: Panel) -> dict[str, Any]:
    """What the panel holds, and how its days came to be, given what the source states of the same series and days."""
    past = is_past(panel.status)
    days, empty, closed = past.sum(axis=1), np.isnan(visible.sales), panel.status == CLOSED
    filled, outlier = panel.status == FILLED, panel.status == OUTLIER
    end = int(np.flatnonzero(past.any(axis=0))[-1])
    stale = np.flatnonzero(empty[:, max(0, end + 1 - STALE) : end + 1].all(axis=1))
    return {
        "stores": len(set(panel.store.tolist())),
        "items": len(set(panel.item.tolist())),
        "series": panel.n_series,
        "first_day": str(panel.dates[0]),
        "last_day": str(panel.dates[end]),
        "shortest_series_days": int(days.min()),
        "longest_series_days": int(days.max()),
        "series_days": int(days.sum()),
        "days_of_the_week": len(set(weekdays(panel.dates[: end + 1][(visible.sales[:, : end + 1] > 0).any(axis=0)]).tolist())),
        "invented_days": int((panel.sales[filled] > 0).sum()),
        "missing_days_filled": int((filled & ~visible.row).sum()),
        "missing_values_filled": int((filled & visible.row).sum()),
        "outliers_lowered": int(outlier.sum()),
        "outlier_units_removed": round(float((panel.recorded - panel.sales)[outlier].sum(dtype="f8")), 2),
        "closed_days": int(closed.sum()),
        "closed_days_inferred_from_zeros": 0 if OPEN in panel.known_names else int((closed & ~empty).sum()),
        "closed_days_without_sales": int((closed & empty).sum()),
        "closed_days_with_sales_set_to_0": int((closed & (visible.sales > 0)).sum()),
        "future_rows": int((panel.status == FUTURE).sum()),
        "known_future_rows_carried": int((~visible.row & (panel.status != ABSENT)).sum()) if panel.known_names else 0,
        "stale_series": len(stale),
        "stale_series_named": "; ".join(visible.name(series) for series in stale[:NAMED]),
    }
