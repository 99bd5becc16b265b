"""Judges forecasts of generated catalogues, whose true mean is known: python -m bench.field.generated [KIND ...].

Writes bench/catalogue.json and bench/catalogue.md when all kinds ran (make bench-catalogue); else it prints the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bench.field import peers
from bench.field.catalogue_scores import Outcome, group_scores
from bench.field.field_report import table
from bench.field.judge import OURS, refusal
from bench.field.manifest import committed_data
from bench.field.metrics import Answer
from bench.field.project import this_project
from bench.field.tasks import HORIZON, Task, cut_at
from demand.ingest.data_params import DataParams
from demand.ingest.records import read_records
from demand.ingest.table_reader import source_of_table
from demand.simulation.demo_params import DemoParams
from demand.simulation.simulator import Chain, generate, to_table
from workspace.run.all_params import Params, load_all_params
from workspace.run.files import write_json

JSON, PAGE = Path("bench/catalogue.json"), Path("bench/catalogue.md")
SIZE: dict[str, Any] = {"catalogue": True, "stores": 5, "items": 30, "noise": 0.3}
KINDS: dict[str, dict[str, Any]] = {
    "three years": SIZE | {"years": 3.0, "level": 5.0},
    "two years, slow": SIZE | {"years": 2.0, "level": 0.8},
    "two years, heavy-tailed": SIZE | {"years": 2.0, "level": 2.0, "giant_orders": 0.004},
}
SEEDS = (301, 302)
TRUTH = "true mean"
ABOUT = """Written by `make bench-catalogue` on {machine}.
Catalogues of `demo.catalogue: true`, {seeds} seeds of each kind, one origin
28 days before the end; prices are known ahead. *totals*: WAPE in % of 28-day totals, against what was sold. *to the mean*:
WAPE in % of days on sale against the true mean, which only the generator knows. *ended, units*: what is forecast for series
that are off sale on all 28 days, in % of all units sold. Groups are of series that are on sale on some of the days. The
true mean also knows which series will run out of stock or end within the 28 days: nobody can reach it."""


def chain_task(demo: DemoParams, layout: DataParams) -> tuple[Task, Outcome]:
    """The generated chain at its origin, and what came after it, with the true mean."""
    chain = generate(demo)
    records, _ = read_records(source_of_table(to_table(chain, demo.promotions, demo.closed_days), layout), layout)
    last = chain.sold - 1 - HORIZON
    task, actual = cut_at(records, chain.dates[last])
    return task, outcome(chain, last, actual)


def outcome(chain: Chain, last: int, actual: np.ndarray) -> Outcome:
    """What the generator knows of the series with a row up to day `last`, in the task's order."""
    assert chain.expected is not None
    known = chain.row[:last + 1].any(axis=0)
    window = slice(last + 1, last + 1 + HORIZON)
    on_sale = chain.expected[:, known] > 0
    sold = np.asarray((chain.units[:last + 1, known] > 0).any(axis=0))
    return Outcome(actual, chain.expected[window, known].T, age=last + 1 - chain.row[:, known].argmax(axis=0), sold=sold,
                   returns=~on_sale[last] & on_sale[window].any(axis=0))


def judge_kind(name: str, params: Params) -> dict[str, Any]:
    """Scores of every method by group, over the seeds together."""
    data = dict(committed_data()) | {"source": name, "known_future": ["price"], "as_of": None}
    layout = DataParams.model_validate(data)
    answers: dict[str, list[np.ndarray]] = {}
    outcomes, refused = [], []
    for seed in SEEDS:
        print(f"{name}, seed {seed} ...", file=sys.stderr, flush=True)
        task, after = chain_task(DemoParams.model_validate(params.demo.model_dump() | KINDS[name] | {"seed": seed}), layout)
        forecasts = {TRUTH: after.expected} | peers.peer_forecasts(task)
        try:
            forecasts[OURS] = this_project(task, layout, params).point
        except Exception as error:  # a refusal, or a bug, is a result of this bench
            refused.append(f"seed {seed}: {refusal(error)}")
            continue
        outcomes.append(after)
        for method, forecast in forecasts.items():
            answers.setdefault(method, []).append(forecast)
    joined = {method: Answer(np.concatenate(parts)) for method, parts in answers.items()}
    return {"refused": refused, "groups": group_scores(outcomes, joined) if outcomes else {}}


def markdown(results: dict[str, Any]) -> str:
    """The page."""
    parts = ["# Generated catalogues", ABOUT.format(machine=results["machine"], seeds=len(SEEDS))]
    for name, kind in results["kinds"].items():
        parts.append(f"## {name}")
        parts += [f"No forecast: {line}" for line in kind["refused"]]
        if not kind["groups"]:
            continue
        methods = list(next(iter(kind["groups"].values()))["methods"])
        for measure, words in (("wape_totals", "totals"), ("to_the_mean", "to the mean")):
            rows = [(group, str(scores["series"]), *(shown(scores["methods"][method].get(measure)) for method in methods))
                    for group, scores in kind["groups"].items()]
            parts.append(table((words, "series", *methods), [each for each in rows if any(each[2:])]))
        ended = kind["groups"]["all"]["methods"]
        parts.append(table(("ended, units", *methods), [("", *(f"{ended[method]['ended_units']:.2f}" for method in methods))]))
    return "\n\n".join(parts) + "\n"


def shown(value: float | None) -> str:
    """A percentage, or nothing."""
    return "" if value is None else f"{value:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.field.generated", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; default: all")
    wanted = parser.parse_args().kinds or list(KINDS)
    if unknown := sorted(set(wanted) - set(KINDS)):
        parser.error(f"there is no {', '.join(unknown)}: choose from {', '.join(KINDS)}")
    warnings.filterwarnings("ignore")  # of the peers' libraries
    params = load_all_params()
    machine = f"{os.cpu_count()} cores that other work shared, Python {platform.python_version()}"
    results = {"machine": machine, "kinds": {name: judge_kind(name, params) for name in wanted}}
    page = markdown(results)
    if wanted == list(KINDS):
        write_json(JSON, results)
        PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
