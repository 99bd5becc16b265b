"""One method on one data set, in a process of its own: python -m bench.measure PANEL METHOD RESULT."""

from __future__ import annotations

import json
import pickle
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.methods import METHODS
from demand.backtest import scores
from demand.backtest.folds import actual_after, plan_backtest
from demand.panel.panel import Panel, closed_by_plan
from workspace.run.all_params import Params

COLUMNS = ("smape", "mae", "rmse", "wape", "bias")


def measured(panel: Panel, settings: Params, at: list[np.datetime64], method: str) -> dict[str, Any]:
    """Means over the origins: errors, coverage by month of the horizon, and seconds to fit and forecast at one origin."""
    horizon = settings.forecast.horizon
    rows = []
    for origin in at:
        history = panel.through(origin)
        began = time.perf_counter()
        made = METHODS[method](history, origin, horizon, settings)
        row = {"seconds": time.perf_counter() - began}
        actual = actual_after(panel, history, origin, horizon)
        found = scores.errors(actual, made.point)
        row |= {name: found[name] for name in COLUMNS}
        first = history.column(origin) + 1
        open_days = np.where(closed_by_plan(history)[:, first:first + horizon], np.nan, actual)
        for level in made.low:
            inside = [scores.coverage(open_days[:, h:h + 30], made.low[level][:, h:h + 30], made.high[level][:, h:h + 30])
                      for h in range(0, horizon, 30)]
            row |= {f"coverage_{level}": scores.coverage(open_days, made.low[level], made.high[level])}
            row |= {f"coverage_{level}_month_{month}": value for month, value in enumerate(inside, 1)}
        rows.append(row)
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # KB on Linux
    return mean | {"peak_memory_gb": peak, "per_origin": {str(origin): row for origin, row in zip(at, rows, strict=True)}}


def main(panel_file: str, method: str, result: str) -> None:
    panel, settings, wanted = pickle.loads(Path(panel_file).read_bytes())
    at = plan_backtest(panel, wanted, settings.evaluate.step_days, settings.forecast.horizon).origins
    Path(result).write_text(json.dumps(measured(panel, settings, at, method)))


if __name__ == "__main__":
    main(*sys.argv[1:])
