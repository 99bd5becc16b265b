"""Figures of the replayed orders: bench/orders.md, and the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from bench.drift.pictures import STYLE
from bench.orders.levels import METHODS

ABOUT = """# Orders: what a service level costs

Written by `make replay-orders` on {machine}: {title}, {weeks} weekly orders of every series from {first} on, a model trained
every fourth week on the days before it. An order brings stock up to the level that `POST /orders` answers; sales that stock
cannot serve are lost. Service: the share of the weeks between two arrivals in which stock never ran out. The others: every day's
own quantile, added up; and the sales of a year before with the normal safety stock, z x the standard deviation of their daily
errors over the last year x the square root of the days. "Its stock" is what each needs for the service reached here, read off its
curve.
"""
COLOURS = ("tab:blue", "tab:orange", "0.5")


def markdown(found: dict[str, Any]) -> str:
    """bench/orders.md."""
    lines = [ABOUT.format(**found), "| lead time, days | service asked | reached | mean stock, units | lost sales | "
             + " | ".join(f"{method}: reached at that level | its stock at the same service" for method in METHODS[1:]) + " |",
             "| --- " * 9 + "|"]
    for row in found["rows"]:
        others = [f"{other['at_same_level']['service']:.1f} % | {share(other['stock_at_same_service'], row['stock'])}"
                  for other in row["others"].values()]
        lines.append(f"| {row['lead_time']} | {row['asked']:g} % | {row['service']:.1f} % | {row['stock']:,.0f} "
                     f"| {row['lost']:.2f} % | {' | '.join(others)} |")
    return "\n".join(lines) + "\n"


def share(other: float, own: float) -> str:
    """Another stock beside our own."""
    return "not reached" if np.isnan(other) else f"{100 * (other / own - 1):+.1f} %"


def draw(found: dict[str, Any], folder: Path) -> None:
    """Stock and service of each method, one panel per lead time."""
    lead_times = list(dict.fromkeys(row["lead_time"] for row in found["rows"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(lead_times), figsize=(9, 3.6), layout="constrained")
        for axis, lead_time in zip(np.atleast_1d(axes), lead_times, strict=True):
            for method, colour in zip(METHODS, COLOURS, strict=True):
                curve = found["curves"][f"{method}; {lead_time}"]
                axis.plot([row["service"] for row in curve], [row["stock"] / 1000 for row in curve], ".-", color=colour,
                          linewidth=1.2, label=method)
            asked = [row for row in found["rows"] if row["lead_time"] == lead_time]
            axis.plot([row["service"] for row in asked], [row["stock"] / 1000 for row in asked], "o", color=COLOURS[0],
                      markersize=6, label=", ".join(f"{row['asked']:g}" for row in asked) + " % asked for")
            axis.set(title=f"lead time {lead_time} days", xlabel="weeks without a stock-out, %", ylabel="mean stock, 1,000 units",
                     xlim=(60, 100))
            axis.legend(frameon=False, fontsize=8, loc="upper left")
        figure.savefig(folder / "orders.svg", metadata={"Date": None})
        plt.close(figure)
