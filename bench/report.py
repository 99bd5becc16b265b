"""The figures as tables."""

from __future__ import annotations

from typing import Any

from bench import feasts
from bench.cases import CASES

REFERENCE = "mlforecast + LightGBM"
ABOUT = """Written by `make bench` on {}. Each method runs in a process of its own. Errors are means over four origins, of
90 days each. Seconds: to fit, and to forecast every series, at one origin; speed: relative to mlforecast in the same run.
Coverage of the intervals: over all days but those that the plan calls closed, and in brackets by month of the horizon."""
HEAD = ("method", "SMAPE %", "MAE", "RMSE", "WAPE %", "bias %", "covered by 80 %", "by 95 %", "s per origin", "speed", "peak GB")


def markdown(results: dict[str, Any]) -> str:
    """bench/results.md."""
    parts = ["# Benchmark", "", ABOUT.format(results["machine"]), ""]
    for name, found in results["cases"].items():
        parts += [f"## {CASES[name].title}", "", row(HEAD), row(["---"] * len(HEAD))]
        parts += [*(line(method, found) for method in found), ""]
    if results.get("feasts"):
        parts += feasts.markdown(results["feasts"])
    if results["repro"]:
        head = ("data", "seconds", "peak GB", "nothing to do, seconds")
        parts += ["## dvc repro, in a fresh clone", "", row(head), row(["---"] * len(head))]
        parts += [row((title, f"{cost['seconds']:.1f}", f"{cost['peak_memory_gb']:.2f}", f"{cost['nothing_to_do_seconds']:.2f}"))
                  for title, cost in results["repro"].items()]
    return "\n".join(parts).rstrip() + "\n"


def line(method: str, found: dict[str, dict[str, Any]]) -> str:
    """One method as a row."""
    got = found[method]
    reference = found.get(REFERENCE)
    speed = reference["seconds"] / max(got["seconds"], 1e-9) if reference else float("nan")
    errors = [f"{got[name]:.2f}" for name in ("smape", "mae", "rmse", "wape")]
    return row((method, *errors, f"{got['bias']:+.2f}", covered(got, 80), covered(got, 95), f"{got['seconds']:.2f}",
                f"{speed:.1f} ×" if speed < 1000 else "> 1000 ×",
                f"{got['peak_memory_gb']:.2f}"))


def covered(got: dict[str, Any], level: int) -> str:
    """Coverage, and in brackets that of each month."""
    months = [f"{value:.1f}" for name, value in got.items() if name.startswith(f"coverage_{level}_month")]
    return f"{got[f'coverage_{level}']:.1f} ({', '.join(months)})" if months else ""


def row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
