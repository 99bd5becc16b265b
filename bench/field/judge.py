"""The figures of one file: every method at every origin of the manifest."""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.field import peers
from bench.field.manifest import FieldFile, committed_data, layout_of
from bench.field.metrics import Answer, file_errors, point_errors, randomised_coverage
from bench.field.project import this_project
from bench.field.tasks import Task, cut_at, read_sales
from demand.schema.errors import UserError
from workspace.run.all_params import Params

OURS = "this project"
Ends = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def judge_file(name: str, entry: FieldFile, folder: Path, params: Params,
               earlier: dict[str, Any] | None = None) -> tuple[dict[str, Any], Ends]:
    """The record of one file for bench/field.json, and the flat (actual, low, high, point) of this project's days.

    Args:
        earlier: the file's record of an earlier run, whose peers' figures are taken where their task is the same.
    """
    layout = layout_of(name, entry, folder, committed_data())
    records = read_sales(layout)
    origins: dict[str, Any] = {}
    days: list[Ends] = []
    for day in entry.origins:
        task, actual = cut_at(records, np.datetime64(day))
        print(f"{name} {day}: {len(task.store)} series ...", file=sys.stderr, flush=True)
        known = (earlier or {}).get("origins", {}).get(str(day), {})
        units = float(np.nansum(actual, dtype="f8"))
        record: dict[str, Any] = {"series": len(task.store), "units": units, "fingerprint": fingerprint(task, actual),
                                  "refused": None}
        methods = known["methods"] if known.get("fingerprint") == record["fingerprint"] else peer_errors(task, actual)
        record["methods"] = {method: scores for method, scores in methods.items() if method != OURS}
        try:
            answer = this_project(task, layout, params)
        except Exception as error:  # a refusal, or a bug, is a result of this bench
            record["refused"] = refusal(error)
        else:
            record["methods"][OURS] = point_errors(actual, answer.point)
            days.append(flat(actual, answer))
        origins[str(day)] = record
    return {"title": entry.title, "planned": list(entry.planned), "origins": origins, **over_origins(origins),
            "coverage_80": coverage(days)}, joined(days)


def peer_errors(task: Task, actual: np.ndarray) -> dict[str, dict[str, float]]:
    """The figures of every peer at one origin."""
    return {method: point_errors(actual, forecast) for method, forecast in peers.peer_forecasts(task).items()}


def refusal(error: Exception) -> str:
    """What the report says where the pipeline gave no forecast."""
    first = str(error).splitlines()[0] if str(error) else ""
    return first if isinstance(error, UserError) else f"it broke with {type(error).__name__}: {first}"


def over_origins(origins: dict[str, Any]) -> dict[str, Any]:
    """Each method's means over the origins at which this project answered; over all of them where it never did."""
    answered = [record for record in origins.values() if record["refused"] is None]
    judged = [record for record in answered or list(origins.values()) if record["units"] > 0]
    names = judged[0]["methods"] if judged else {}
    scores = {name: file_errors([record["methods"][name] for record in judged]) for name in names}
    return {"answered": len(answered), "methods": scores}


def flat(actual: np.ndarray, answer: Answer) -> Ends:
    """The days of one origin, one after the other."""
    assert answer.low is not None
    assert answer.high is not None
    return actual.ravel(), answer.low.ravel(), answer.high.ravel(), answer.point.ravel()


def joined(days: list[Ends]) -> Ends:
    """The days of several origins or files."""
    actual, low, high, point = (np.concatenate([part[k] for part in days]) if days else np.empty(0) for k in range(4))
    return actual, low, high, point


def coverage(days: list[Ends]) -> float | None:
    """Randomised coverage of the 80 % interval over all days, %; None where there is none."""
    value = randomised_coverage(*joined(days))
    return None if np.isnan(value) else value


def fingerprint(task: Task, actual: np.ndarray) -> str:
    """What the peers' figures depend on: the task, the actual sales, and the peers' code."""
    digest = hashlib.sha256(inspect.getsource(peers).encode())
    for values in (task.sales, task.row, task.planned, actual, task.dates.astype("i8")):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]
