"""This project's forecast of a task: its own cleaning, its own model, as the pipeline runs them."""

from __future__ import annotations

import numpy as np

from bench.field.metrics import Answer
from bench.field.tasks import HORIZON, Task, visible_table
from demand.cleaning.cleaning_report import prepare_rows
from demand.ingest.data_params import DataParams
from demand.ingest.table_reader import Source
from demand.model.demand_model import DemandModel
from demand.schema.errors import UserError
from workspace.run.all_params import Params

LEVEL = 80  # %


def this_project(task: Task, layout: DataParams, params: Params) -> Answer:
    """Prepare what is visible, fit, and forecast from the newest day with sales to HORIZON days after the origin.

    Series that the pipeline leaves out, as they have rows but no sales yet, are forecast as 0.

    Raises:
        UserError: what the pipeline refuses.
    """
    recorded = np.flatnonzero((task.row & ~np.isnan(task.sales)).any(axis=0))
    if not len(recorded):
        raise UserError(f"no row has sales up to {task.origin}")
    days = HORIZON + len(task.dates) - 1 - int(recorded[-1])
    rows = Source(visible_table(task), lambda position: position + 1, "row")
    panel, _ = prepare_rows(rows, layout, params.prepare, days)
    forecast = DemandModel.fit(panel, params.train, days).predict(panel, panel.last_day, days)
    position = {(str(s), str(i)): row for row, (s, i) in enumerate(zip(panel.store, panel.item, strict=True))}
    source = np.array([position.get(key, -1) for key in zip(task.store, task.item, strict=True)])

    def on_task(values: np.ndarray) -> np.ndarray:
        return np.where((source >= 0)[:, None], values[source, -HORIZON:], 0)

    return Answer(on_task(forecast.point), on_task(forecast.low[LEVEL]), on_task(forecast.high[LEVEL]))
