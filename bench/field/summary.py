"""Files together: each method beside the best peer of every file, and the targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.field.judge import OURS

MEASURES = {"wape_totals": "28-day totals", "wape_days": "days"}
TARGETS = {"wape_totals": 0.85, "wape_days": 0.97}  # geometric mean of the ratios to the best peers
WORST, BIAS = 1.05, 8.0  # of any file: ratio, mean absolute bias in %
COVERAGE, COVERAGE_FILE, ORIGINS = (76.0, 84.0), (70.0, 90.0), 12  # %, pooled and per file; origins that it takes


def best_peer(file: dict[str, Any], measure: str) -> tuple[str, float]:
    """Name and value of the file's best peer."""
    values = {name: scores[measure] for name, scores in file["methods"].items() if name != OURS}
    name = min(values, key=lambda each: values[each])
    return name, values[name]


def ratios(files: dict[str, Any], measure: str, method: str) -> dict[str, float]:
    """The method's measure over the best peer's, by file, of the files that it answered."""
    return {name: file["methods"][method][measure] / best_peer(file, measure)[1]
            for name, file in files.items() if method in file["methods"]}


def geometric_mean(values: list[float]) -> float:
    """NaN of no values."""
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def summarise(files: dict[str, Any], pooled: float | None) -> dict[str, Any]:
    """Per method: geometric means and the worst file; the pooled coverage; and each target with whether it is reached."""
    methods = sorted({name for file in files.values() for name in file["methods"]}, key=lambda name: (name == OURS, name))
    table: dict[str, Any] = {}
    for method in methods:
        table[method] = {"files": len(ratios(files, "wape_totals", method))}
        for measure in MEASURES:
            by_file = ratios(files, measure, method)
            worst = max(by_file, key=lambda name: by_file[name])
            table[method][measure] = {"mean": geometric_mean(list(by_file.values())), "worst": by_file[worst],
                                      "worst_file": worst, "by_file": by_file}
    return {"methods": table, "coverage_80": pooled, "targets": targets(files, table, pooled)}


def targets(files: dict[str, Any], table: dict[str, Any], pooled: float | None) -> list[dict[str, Any]]:
    """What issue 19 asks of the field: text, value, whether it is reached. A file without an answer reaches none."""
    complete = all(record["refused"] is None for file in files.values() for record in file["origins"].values())
    rows = [{"target": "every origin of every file is answered", "value": "yes" if complete else "no", "reached": complete}]
    if OURS not in table:
        return rows
    for measure, words in MEASURES.items():
        ours = table[OURS][measure]
        rows += [target(f"WAPE of {words}, geometric mean, at most {TARGETS[measure]} × the best peer", ours["mean"],
                        ours["mean"] <= TARGETS[measure]),
                 target(f"WAPE of {words}, worst file, at most {WORST} ×", ours["worst"], ours["worst"] <= WORST)]
    answered = {name: file for name, file in files.items() if OURS in file["methods"]}
    bias = max(file["methods"][OURS]["bias_abs"] for file in answered.values())
    rows.append(target(f"mean absolute bias of each file at most {BIAS:.0f} %", bias, bias <= BIAS))
    covered = [file["coverage_80"] for file in answered.values()]
    origins = sum(file["answered"] for file in files.values())
    rows.append(target(f"80 % intervals cover {COVERAGE[0]:.0f} to {COVERAGE[1]:.0f} % of all days, {ORIGINS} origins or more",
                       pooled or 0.0, COVERAGE[0] <= (pooled or 0) <= COVERAGE[1] and origins >= ORIGINS))
    furthest = max(covered, key=lambda value: abs(value - 80))
    rows.append(target(f"{COVERAGE_FILE[0]:.0f} to {COVERAGE_FILE[1]:.0f} % in each file", furthest,
                       all(COVERAGE_FILE[0] <= value <= COVERAGE_FILE[1] for value in covered)))
    return rows


def target(text: str, value: float, reached: bool) -> dict[str, Any]:
    """One row of the targets."""
    return {"target": text, "value": f"{value:.2f}", "reached": bool(reached)}
