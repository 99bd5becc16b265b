"""How well the intervals of sums cover, at many origins: python -m bench.sums (make bench-sums) writes bench/sums.md."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.cases import PLANNED, REAL, generated, real
from demand.backtest.folds import backtest
from demand.backtest.sum_scores import by_sum
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from workspace.run.all_params import Params
from workspace.run.progress import announced

OUT = Path("bench/sums.md")
HORIZON = 90  # days
LAST_OF_REAL = np.datetime64("2017-10-02")
ALIVE = {"promotions": True, "closed_days": True, "future_days": HORIZON}
DEMOS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "The demo": ({}, ()),
    "Demo with promotions and closed days, known ahead": (ALIVE, PLANNED),
    "The same, half of the series with level shifts": (ALIVE | {"level_shifts": 0.5}, PLANNED),
    "Demo of two stores of five series": ({"stores": 2, "items": 5}, ()),
    "Demo of 2.3 years": ({"years": 2.3}, ()),
}
ABOUT = """# Sums: how many of them the intervals hold

Written by `make bench-sums`. At each origin a model is fitted to the days before it; its intervals of what series, stores, items
and everything sell over a day, a week and four weeks of the next {horizon} are compared with what was sold. Width: of the
interval, % of the forecast.
"""


def origins_of(panel: Panel, count: int, apart: int, last: np.datetime64 | None = None) -> list[np.datetime64]:
    """`count` origins, oldest first; the last one leaves the whole horizon."""
    newest = panel.last_day - HORIZON if last is None else last
    return [newest - apart * k for k in reversed(range(count))]


def scores(panel: Panel, settings: Params, origins: list[np.datetime64], horizon: int = HORIZON) -> list[dict[str, Any]]:
    """`by_sum` of a backtest at these origins."""
    fit = partial(DemandModel.fit, train=settings.train, horizon=horizon)
    return by_sum(backtest(panel, fit, origins, horizon, announced))


def table(title: str, origins: list[np.datetime64], rows: list[dict[str, Any]]) -> str:
    """One case of bench/sums.md."""
    lines = [f"\n## {title}: {len(origins)} origins, {origins[0]} to {origins[-1]}\n",
             "| sum of | days | sums | 80 % interval holds | 95 % interval holds | width of the first |", "| --- " * 6 + "|"]
    lines += [f"| {row['level']} | {row['days']} | {row['sums']:,} | {row['coverage_80']:.1f} % | {row['coverage_95']:.1f} % "
              f"| {row['width_80']:.1f} % |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    parts = [ABOUT.format(horizon=HORIZON)]
    if REAL.exists():
        panel, settings = real()
        at = origins_of(panel, 29, 28, LAST_OF_REAL)
        parts.append(table("The competition's file", at, scores(panel, settings, at)))
        OUT.write_text("".join(parts))
    for title, (changes, known) in DEMOS.items():
        panel, settings = generated(changes, known)
        at = origins_of(panel, 4, 91)
        parts.append(table(title, at, scores(panel, settings, at)))
        OUT.write_text("".join(parts))
    print("".join(parts))


if __name__ == "__main__":
    main()
