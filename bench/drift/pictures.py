"""The figures as pictures: what is found beside Evidently, and the trade-off that the thresholds were taken from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from demand.drift.drift_params import DriftParams

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np

from bench.drift import sweep
from bench.drift.injection import KINDS
from bench.drift.report import pooled, within
from workspace.run.params_file import load_params

STYLE: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "demand",
              "svg.fonttype": "none"}
WHO = {"this project": "tab:blue", "Evidently, against all history": "0.55", "Evidently, against a year ago": "0.8"}

LINES = (("tab:red", "-"), ("tab:blue", "-"), ("0.6", "--"), ("black", ":"))


def draw(results: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        for name, picture in (("drift-found", found), ("drift-trade-off", trade_off)):
            figure = picture(results)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


def draw_replay(results: dict[str, Any], folder: Path) -> None:
    """Error of the forecasts made each week, as it was and with a shift; a mark where the gate trained."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
        titles = "as it is", f"a fifth of the series 25 % off from {results['shift']} on"
        for axis, replay, title in zip(axes, (results["calm"], results["shifted"]), titles, strict=True):
            dates = np.datetime64(replay["first"]) + 7 * np.arange(replay["weeks"])
            for (name, row), (colour, style) in zip(replay["policies"].items(), LINES, strict=True):
                smape = np.array(row["weekly"]["smape"])
                label = f"{name}: {row['trainings']} trainings, {row['smape']:.2f} %"
                axis.plot(dates, smape, style, color=colour, linewidth=1.2, label=label)
                if row["trained"] and name == "on drift":
                    at = np.isin(dates, np.array(row["trained"], "M8[D]"))
                    axis.plot(dates[at], smape[at], "o", color=colour, markersize=6)
            axis.set(title=title, ylabel="SMAPE of the next 90 days, %")
            axis.legend(frameon=False, fontsize=8, loc="upper right")
        axes[1].set_xlabel("day on which the forecast is made")
        figure.savefig(folder / "replay.svg", metadata={"Date": None})
        plt.close(figure)


def found(results: dict[str, Any]) -> Any:
    """Shares told within 28 days, by kind, beside Evidently; the first pair of bars is drift that is none."""
    cases = [case for case in results["cases"].values() if case["aim"]]
    ours, peers = pooled(cases), [case["peer"] for case in cases if "peer" in case]
    rows = [("nothing (false alarms per check)", ours["quiet"]["alarms"] / ours["quiet"]["checks"],
             *(share(peers, key, "checks") for key in ("quiet", "quiet_matched")))]
    for kind, delays in ours["delays"].items():
        if delays and KINDS[kind].follow == 28:
            of = [peer["kinds"][kind] for peer in peers]
            rows.append((KINDS[kind].title, within(delays, 28) / len(delays), share(of, "found", "replays"),
                         share(of, "found_matched", "replays")))
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    at = np.arange(len(rows))[::-1]
    for k, (name, colour) in enumerate(WHO.items()):
        bars = axis.barh(at + 0.27 * (1 - k), [100 * row[1 + k] for row in rows], 0.25, color=colour, label=name)
        axis.bar_label(bars, fmt="%.0f", fontsize=6, padding=2)
    axis.set(yticks=at, yticklabels=[row[0] for row in rows], xlabel="drift called within 28 days, %", xlim=(0, 104))
    axis.axhline(at[0] - 0.5, color="0.4", linewidth=0.6)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def share(parts: list[dict[str, Any]], hits: str, tries: str) -> float:
    return sum(part[hits] for part in parts) / max(sum(part[tries] for part in parts), 1)


def trade_off(results: dict[str, Any]) -> Any:
    """One line per threshold, moved while the others stay: false alarms against the share found."""
    rules = load_params(DriftParams)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
    for axis, aim, title in ((axes[0], True, "data that the gate is made for"), (axes[1], False, "where it ends")):
        swept = [champion["sweep"] for case in results["cases"].values() if case["aim"] == aim
                 for champion in case["champions"].values()]
        if not swept:
            continue
        x = 100 * sum(np.array(one["alarms"]) for one in swept) / sum(one["checks"] for one in swept)
        y = 100 * sum(np.array(one["found"]) for one in swept) / sum(one["replays"] for one in swept)
        names, values = np.array([name for name, _ in results["settings"]]), [value for _, value in results["settings"]]
        for name in sweep.SWEPT:
            use = np.flatnonzero(names == name)
            axis.plot(x[use], y[use], ".-", linewidth=0.8, label=name)
            for k in use:
                axis.annotate(f"{values[k]:g}", (x[k], y[k]), fontsize=6, xytext=(2, 2), textcoords="offset points")
            default = [k for k in use if values[k] == getattr(rules, name)]
            axis.plot(x[default], y[default], "o", color="black", markersize=7, fillstyle="none")
        axis.axvline(2, color="0.6", linewidth=0.6, linestyle="--")
        axis.set(title=title, xlabel="false alarms per weekly check, %", xscale="symlog", xlim=(-0.3, 100))
        axis.set_xticks([0, 1, 2, 5, 10, 20, 50, 100], ["0", "1", "2", "5", "10", "20", "50", "100"])
    axes[0].set_ylabel("drift found within 28 days, %")
    axes[0].legend(frameon=False, loc="lower right")
    return figure
