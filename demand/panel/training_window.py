"""The rows that a model is trained on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from demand.panel.arrow import to_numpy
from demand.panel.long_table import attributes_of, events_of, keys, with_facts
from demand.panel.panel import STATUSES
from demand.schema.errors import UserError

FEWEST_DAYS = 60  # of history from which a backtest fits; a model of fewer is unscored


def cut_window(table: pa.Table, through: np.datetime64) -> pa.Table:
    """The rows of a long table up to a day, in its order, without series that have no sales by then; what is known of the rest.

    Raises:
        UserError: there are none.
    """
    store, item, day, new_series = keys(table)
    series = np.cumsum(new_series) - 1
    known = to_numpy(table["status"].combine_chunks().indices)
    sold = (day <= through) & np.isin(known, [STATUSES.index(name) for name in STATUSES if name not in ("future", "absent")])
    begun = np.zeros(int(series[-1]) + 1, bool)
    begun[series[sold]] = True
    rows = (day <= through) & begun[series]
    if not rows.any():
        raise UserError(f"there are no sales up to {through}, the retrain flag's day: set a later data.as_of, or roll back")
    stores, items = (set(ids[new_series][begun].tolist()) for ids in (store, item))
    events, attributes = events_of(table), attributes_of(table)
    return with_facts(table.filter(pa.array(rows)), events.cut(through.astype(object), stores) if events else None,
                      attributes.cut(items, stores) if attributes else None)
