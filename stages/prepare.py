"""Validates and cleans the source and completes its days.

Reads the file at `data.source` (CSV or Parquet: date, store, item, sales and the columns of `data.known_future`). Writes
data/processed/cleaned_data.parquet, one row per store, item and day from the series' first sale on, sorted by them (columns: see
stages/forecasting/panel.py), and metrics/prepare.json, which counts every change. The rules: stages/forecasting/cleaning.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from stages import entry, paths
from stages.forecasting import checks, cleaning, source
from stages.forecasting.errors import UserError
from stages.forecasting.panel import ABSENT, CLOSED, FILLED, FUTURE, OUTLIER, Panel, to_table
from stages.forecasting.params import Params
from stages.forecasting.records import Records, records

STALE = 28  # days without any value of sales at the end of a series
NAMED = 10  # series named in the metrics


def prepare(data: pa.Buffer, params: Params) -> tuple[Panel, dict[str, Any]]:
    """The cleaned panel of a source file, and what was changed on the way."""
    file, known, horizon = params.data.source, params.data.known_future, params.forecast.horizon
    read = source.read(data, file, known)
    stated, mended = records(read, file, known)
    as_of = None if params.data.as_of is None else np.datetime64(params.data.as_of, "D")
    end = checks.last_day(stated, as_of, file)
    checks.enough_days(stated, end, horizon, file)
    checks.known_values(stated, end, horizon, file)
    visible, last = cleaning.seen(stated, end)
    panel = cleaning.clean(visible, last, params.prepare)
    return panel, {
        "rows_read": read.table.num_rows,
        "columns_ignored": ", ".join(read.ignored),
        **read.repairs,
        **mended,
        "rows_hidden_by_as_of": int((~np.isnan(stated.sales[:, end + 1 :])).sum()),
        "series_not_begun": len(stated.store) - panel.n_series,
        **summary(visible, panel),
    }


def summary(visible: Records, panel: Panel) -> dict[str, Any]:
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
        "closed_days_inferred_from_zeros": 0 if cleaning.OPEN in panel.known_names else int((closed & ~empty).sum()),
        "closed_days_without_sales": int((closed & empty).sum()),
        "closed_days_with_sales_set_to_0": int((closed & (visible.sales > 0)).sum()),
        "future_rows": int((panel.status == FUTURE).sum()),
        "known_future_rows_carried": int((~visible.row & (panel.status != ABSENT)).sum()) if panel.known_names else 0,
        "stale_series": len(stale),
        "stale_series_named": "; ".join(visible.name(series) for series in stale[:NAMED]),
    }


def main() -> None:
    params = entry.load_params()
    try:
        data = pa.memory_map(params.data.source).read_buffer()
    except OSError as error:
        raise UserError(f"{params.data.source} cannot be read ({error}): set data.source in params.yaml to your sales") from None
    panel, metrics = prepare(data, params)
    with entry.whole_file(paths.CLEANED) as part:
        parquet.write_table(to_table(panel), part, compression="zstd")
    entry.write_json(paths.PREPARE_METRICS, metrics)
    filled = metrics["missing_days_filled"] + metrics["missing_values_filled"]
    print(f"{metrics['series']:,} series up to {metrics['last_day']}: {filled:,} days filled, {metrics['closed_days']:,} closed, "
          f"{metrics['outliers_lowered']:,} outliers lowered: {paths.CLEANED}")


if __name__ == "__main__":
    entry.run(main)
