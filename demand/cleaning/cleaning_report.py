"""Validates and cleans the source and completes its days.

Reads the file at `data.source` (CSV or Parquet: date, store, item, sales and the columns of `data.known_future`). Writes
data/processed/cleaned_data.parquet, one row per store, item and day from the series' first sale on, sorted by them (columns: see
stages/forecasting/panel.py), and metrics/prepare.json, which counts every change. The rules: stages/forecasting/cleaning.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from demand.cleaning.clean_panel import clean, visible_records
from demand.ingest import requirements, table_reader
from demand.ingest.records import Records, read_records
from demand.panel.panel import ABSENT, CLOSED, FILLED, FUTURE, OPEN, OUTLIER, Panel
from workspace.run.params_file import Params

STALE = 28  # days without any value of sales at the end of a series
NAMED = 10  # series named in the metrics


def prepare(data: pa.Buffer, params: Params) -> tuple[Panel, dict[str, Any]]:
    """The cleaned panel of a source file, and what was changed on the way."""
    file, known, horizon = params.data.source, params.data.known_future, params.forecast.horizon
    read = table_reader.read(data, file, known)
    stated, mended = read_records(read, file, known)
    as_of = None if params.data.as_of is None else np.datetime64(params.data.as_of, "D")
    end = requirements.last_day(stated, as_of, file)
    requirements.enough_days(stated, end, horizon, file)
    requirements.known_values(stated, end, horizon, file)
    visible, last = visible_records(stated, end)
    panel = clean(visible, last, params.prepare)
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
