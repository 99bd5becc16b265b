"""From a source file's bytes to the cleaned panel, with every change counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest import requirements, table_reader
from demand.ingest.data_params import DataParams
from demand.ingest.records import Records, read_records
from demand.ingest.table_reader import Source
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OPEN, OUTLIER, Panel

STALE = 28  # days without any value of sales at the end of a series
NAMED = 10  # series named in the metrics


def prepare(data: pa.Buffer, source: DataParams, rules: PrepareParams, horizon: int) -> tuple[Panel, dict[str, Any]]:
    """The cleaned panel of a source file's bytes, and counts of what was changed on the way (metrics/prepare.json)."""
    file, known = source.source, source.known_future
    return prepare_rows(table_reader.read(data, file, known), file, known, source.as_of, rules, horizon)


def prepare_rows(read: Source, file: str, known: tuple[str, ...], until: date | None, rules: PrepareParams,
                 horizon: int) -> tuple[Panel, dict[str, Any]]:
    """The same for rows that have been read.

    Args:
        file: what messages call them.
        known: names of the known-future columns.
        until: the last day whose sales are seen; None for the newest.
        horizon: days for which the known-future columns have to be there.
    """
    stated, mended = read_records(read, file, known)
    as_of = None if until is None else np.datetime64(until, "D")
    end = requirements.last_day(stated, as_of, file)
    requirements.known_values(stated, end, horizon, file)
    visible, last = visible_records(stated, end)
    panel = clean(visible, last, rules)
    return panel, {
        "rows_read": read.table.num_rows,
        "columns_ignored": ", ".join(read.ignored),
        **read.repairs,
        **mended,
        "rows_hidden_by_as_of": int((~np.isnan(stated.sales[:, end + 1 :])).sum()),
        "series_not_begun": len(stated.store) - panel.n_series,
        **count_changes(visible, panel),
    }


def count_changes(visible: Records, panel: Panel) -> dict[str, Any]:
    """What the panel holds, and how its days came to be, given what the source states of the same series and days."""
    live = (panel.status != ABSENT) & (panel.status != FUTURE)
    days, empty, closed = live.sum(axis=1), np.isnan(visible.sales), panel.status == CLOSED
    filled, outlier = panel.status == FILLED, panel.status == OUTLIER
    end = int(np.flatnonzero(live.any(axis=0))[-1])
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
