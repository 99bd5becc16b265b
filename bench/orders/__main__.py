"""Two years of weekly orders as sales were: python -m bench.orders (make replay-orders)

Writes bench/orders.json, bench/orders.md and docs/images/orders.svg.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.cases import real_or_demo
from bench.orders.levels import METHODS, Levels, weekly_levels
from bench.orders.orders_report import draw, markdown
from bench.orders.simulate import REVIEW, simulate
from demand.panel.panel import Panel

OUT, PICTURES = Path("bench"), Path("docs/images")
YEARS = 2
LEAD_TIMES, ASKED = (3, 10), (0.90, 0.95, 0.98)
SERVICES = (0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)  # of the curves that methods are compared on


def replay(panel: Panel, levels: Levels, first: np.datetime64) -> dict[str, list[dict[str, float]]]:
    """By method and lead time: one outcome per service level asked for, in their order."""
    start = panel.column(first) + 1
    curves: dict[str, list[dict[str, float]]] = {}
    for (method, lead_time, service), weekly in levels.found.items():
        outcome = simulate(np.array(weekly), panel.recorded[:, start:start + REVIEW * len(weekly)], lead_time)
        curves.setdefault(f"{method}; {lead_time}", []).append({"asked": 100 * service, **outcome.__dict__})
    return curves


def stock_at(curve: list[dict[str, float]], service: float) -> float:
    """Mean stock that a method needs for a service level that it reaches, between the two nearest; NaN where it reaches none."""
    reached = np.array([row["service"] for row in curve])
    stock = np.array([row["stock"] for row in curve])
    order = np.argsort(reached)
    return float(np.interp(service, reached[order], stock[order], left=np.nan, right=np.nan))


def summary(curves: dict[str, list[dict[str, float]]], services: tuple[float, ...] = SERVICES) -> list[dict[str, Any]]:
    """One row per lead time and service level: what this project reaches, what the others do, and the stock they need for it."""
    rows = []
    for lead_time in LEAD_TIMES:
        for k, service in enumerate(services):
            own, others = curves[f"{METHODS[0]}; {lead_time}"][k], {name: curves[f"{name}; {lead_time}"] for name in METHODS[1:]}
            if service in ASKED:
                rows.append({"lead_time": lead_time, **own, "others": {
                    name: {"at_same_level": curve[k], "stock_at_same_service": stock_at(curve, own["service"])}
                    for name, curve in others.items()}})
    return rows


def main() -> None:
    said = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    panel, settings, title = real_or_demo(said)
    weeks = YEARS * 52
    first = panel.last_day - weeks * REVIEW
    levels = Levels(LEAD_TIMES, SERVICES)
    weekly_levels(panel, settings, first, weeks, levels, said)
    curves = replay(panel, levels, first)
    found = {"machine": f"{os.cpu_count()} cores", "title": title, "weeks": weeks,
             "first": str(first), "curves": curves, "rows": summary(curves)}
    (OUT / "orders.json").write_text(json.dumps(found) + "\n")
    (OUT / "orders.md").write_text(markdown(found))
    draw(found, PICTURES)
    print(markdown(found))


if __name__ == "__main__":
    main()
