"""The rows that a model is trained on."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from demand.panel.arrow import to_numpy
from demand.panel.long_table import attributes_of, events_of, keys, with_facts
from demand.schema.errors import UserError

FEWEST_DAYS = 60  # of history from which a backtest fits; a model of fewer is unscored


class RetrainFlag(BaseModel):
    """reports/retrain_flag.json: what the drift stage tells the window stage, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train_through: date = Field(description="last day of the training window")


def cut_window(table: pa.Table, through: np.datetime64) -> pa.Table:
    """The rows of a long table up to a day, in its order, without series that have no sales by then; what is known of the rest.

    Raises:
        UserError: there are none.
    """
    store, item, day, new_series = keys(table)
    series = np.cumsum(new_series) - 1
    sold = (day <= through) & ~np.isin(to_numpy(table["status"]), ("future", "absent"))
    begun = np.zeros(int(series[-1]) + 1, bool)
    begun[series[sold]] = True
    rows = (day <= through) & begun[series]
    if not rows.any():
        raise UserError(f"there are no sales up to {through}, the retrain flag's day: set a later data.as_of, or roll back")
    stores, items = (set(ids[new_series][begun].tolist()) for ids in (store, item))
    events, attributes = events_of(table), attributes_of(table)
    return with_facts(table.filter(pa.array(rows)), events.cut(through.astype(object), stores) if events else None,
                      attributes.cut(items, stores) if attributes else None)
