"""What a calendar of public holidays is worth: a chain whose feasts move, forecast with and without it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np

from bench.cases import generated
from bench.drift.__main__ import quiet
from bench.drift.champion import fitted
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from demand.simulation.feasts import near_feasts
from workspace.run.all_params import Params

CHAIN = {"stores": 8, "items": 25, "years": 5, "level": 200.0, "feasts": 1.0}
ORIGINS, STEP = 8, 45  # so that every feast is forecast, from near and far
TRAINED = "2023-06-30"  # through this day is the champion that is then watched for false alarms
TITLE = "A chain with nine public holidays, four of them moving: 200 series, 5 years"
LABELS = {"with": "data.calendar: {default: DE}", "without": "without a calendar"}
Results = dict[str, dict[str, float]]


def errors(panel: Panel, settings: Params) -> dict[str, float]:
    """WAPE of the forecasts from all origins, % of sales, on feasts and the days around them, and on the other days."""
    horizon, near = settings.forecast.horizon, near_feasts(panel.dates)
    missed, sold = np.zeros(2), np.zeros(2)
    for n in range(ORIGINS):
        origin = panel.last_day - horizon - STEP * n
        past = panel.through(origin)
        forecast = DemandModel.fit(past, settings.train, horizon).predict(past, origin, horizon).point
        days = slice(panel.column(origin) + 1, panel.column(origin) + 1 + horizon)
        for k, chosen in enumerate((near[days], ~near[days])):
            actual = panel.recorded[:, days][:, chosen]
            missed[k] += np.abs(forecast[:, chosen] - actual).sum()
            sold[k] += actual.sum()
    return {"near": float(100 * missed[0] / sold[0]), "other": float(100 * missed[1] / sold[1])}


def measured(changes: dict[str, Any] | None = None, trained: str = TRAINED) -> Results:
    """Errors, and weekly checks of a champion that call drift although there is none, with and without the calendar."""
    found: Results = {}
    panel, settings = generated(CHAIN | (changes or {}), calendar={"default": "DE"})
    for name, shown in (("without", replace(panel, events=None)), ("with", panel)):
        print(f"feasts: {LABELS[name]} ...", file=sys.stderr, flush=True)
        checks = quiet(fitted(shown, settings, np.datetime64(trained)))
        found[name] = errors(shown, settings) | {"alarms": checks["alarms"], "checks": checks["checks"]}
    return found


def markdown(found: Results) -> list[str]:
    """The section of bench/results.md."""
    lower = 100 * (1 - found["with"]["near"] / found["without"]["near"])
    lines = [f"## {TITLE}", "", f"Mean of {ORIGINS} origins, {STEP} days apart. On feasts and the days around them the error is "
             f"{lower:.0f} % lower with the calendar.", "",
             "| | WAPE % on feasts and around them | on other days | false alarms of drift, weekly checks |",
             "| --- | --- | --- | --- |"]
    lines += [f"| {LABELS[name]} | {each['near']:.2f} | {each['other']:.2f} | {each['alarms']:.0f} of {each['checks']:.0f} |"
              for name, each in found.items()]
    return [*lines, ""]
