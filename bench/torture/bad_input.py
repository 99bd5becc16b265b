"""Bad input of every kind for every command: each ends in one message without a traceback, and earlier outputs stay.

A command that writes several files replaces them one after another, so those cases put what is in the way before the first.
Files of sales, values of params.yaml, damaged files between the stages, and what a full disk and the environment refuse.
"""

from __future__ import annotations

import math
import os
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from bench.torture import bad_files, bad_params, damage
from bench.torture.tree import Ended, fork_module, make_outputs, make_tree

OUTPUTS = ("models", "metrics", "reports", "data/processed", "data/forecast", "logs")
CLEANED, FEATURES, WINDOW = (f"data/processed/{name}.parquet" for name in ("cleaned_data", "feature_data", "train_window"))
POINTER, MODEL, TRAIN, EVALUATE = "models/champion.json", "models/model.pkl", "metrics/train.json", "metrics/evaluate.json"
VERSION, STORED = "models/versions/*/model.pkl", "models/versions/*/metrics.json"
READ = {  # what each command reads
    "params": ["params.yaml"], "prepare": ["params.yaml", "data/sales.csv"], "features": [CLEANED],
    "drift": [FEATURES, POINTER, VERSION],
    "window": [FEATURES, "reports/retrain_flag.json"], "train": [WINDOW, "params.yaml"], "evaluate": [WINDOW, MODEL, TRAIN],
    "compare": [WINDOW, EVALUATE, POINTER, VERSION], "forecast": [FEATURES, POINTER, VERSION, "data/no_test.csv"],
    "promote": [MODEL, TRAIN, EVALUATE, "metrics/compare.json", POINTER, STORED, VERSION, "metrics/retrain_history.csv",
                "logs/retrain_logs.log", "models/model_latest.pkl.dvc"]}
WRITERS = {  # and what each writes first
    "prepare": CLEANED, "features": FEATURES, "drift": "reports/data_drift_report.html", "window": WINDOW, "train": MODEL,
    "evaluate": EVALUATE, "compare": "metrics/compare.json", "forecast": "data/forecast/forecast.parquet"}
SETTINGS: dict[str, tuple[str, dict[str, str]]] = {  # a command and its environment
    "a webhook that is a file": ("automation.notify", {"SLACK_WEBHOOK_URL": "file:///etc/passwd"}),
    "a webhook that is no address": ("automation.notify", {"SLACK_WEBHOOK_URL": "http://["}),
    "a webhook with a line break": ("automation.notify", {"SLACK_WEBHOOK_URL": "https://hooks.example\nX: y"}),
    "a mail port that is no number": ("automation.notify", {"SMTP_HOST": "localhost", "SMTP_PORT": "many"}),
    "a mail server without addresses": ("automation.notify", {"SMTP_HOST": "localhost"}),
    "no token of GitHub": ("automation.comment_on_pr", {}), "a port that is no number": ("api", {"PORT": "many"}),
    "no workers": ("api", {"WORKERS": "0"}), "a blank key": ("api", {"API_KEY": " "}),
    "a key with a line break": ("api", {"API_KEY": "a\nb"}),
    "a negative limit": ("api", {"MAX_BODY_BYTES": "-1"}), "polling soon": ("api", {"POLL_SECONDS": "soon"}),
    "no token of the Hub": ("automation.deploy_space", {}), "no address of S3": ("automation.dvc_remote", {}),
    "another way to record": ("automation.push_results", {"RECORD_BY": "pigeon"}),
}
Break = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One command on one kind of bad input."""

    group: str
    name: str
    module: str
    spoil: Break
    limits: dict[int, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def nothing(_: Path) -> None:
    """Leave the tree as it is."""


def put(name: str, content: bytes, tree: Path) -> None:
    (tree / name).write_bytes(content)


def put_param(path: str, value: Any, tree: Path) -> None:
    file = tree / "params.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    *sections, key = path.split(".")
    place = content
    for section in sections:
        place = place[section]
    place[key] = value
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def spoil(name: str, harm: damage.Damage, tree: Path) -> None:
    """Do harm to the newest file of that name; one that is not there is made first."""
    path = max(tree.glob(name), default=tree / name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    harm(path)


def cases() -> Iterator[Case]:
    """All kinds."""
    for name, content in (bad_files.CSV | bad_files.PARQUET).items():
        yield Case("sales file", name, "stages.prepare", partial(put, "data/sales.csv", content))
    for name, (path, value) in bad_params.VALUES.items():
        for command in ("params", "prepare"):
            yield Case("value of params.yaml", f"{command}, {name}", f"stages.{command}", partial(put_param, path, value))
    for name, content in bad_params.TEXTS.items():
        yield Case("params.yaml", name, "stages.params", partial(put, "params.yaml", content))
    for command, files in READ.items():
        for file in files:
            kinds = {".json": damage.JSON_FILE, ".parquet": damage.PARQUET_FILE}.get(Path(file).suffix, damage.ANY_FILE)
            for name, harm in kinds.items():
                yield Case("damaged file", f"{command}, {file}: {name}", f"stages.{command}", partial(spoil, file, harm))
    yield from of_the_machine()
    for name, (module, settings) in SETTINGS.items():
        yield Case("environment", name, module, nothing, environment=settings)


def of_the_machine() -> Iterator[Case]:
    """What a machine refuses: room, and a place that is taken."""
    for command in WRITERS:
        for size in (0, 300):
            yield Case("full disk", f"{command}, {size} bytes", f"stages.{command}", nothing, {resource.RLIMIT_FSIZE: size})
    for command, output in WRITERS.items():
        for name, harm in (("a directory", damage.directory), ("a file as folder", damage.below_a_file)):
            yield Case("output in the way", f"{command}, {name}", f"stages.{command}", partial(spoil, output, harm))


def make_template(root: Path) -> Path:
    """A tree with all outputs and a champion, without the code, which the commands find in this repository."""
    make_tree(root)
    make_outputs(root)
    for name in ("demand", "workspace", "stages"):
        shutil.rmtree(root / name)
    return root


def contents(tree: Path) -> dict[str, bytes]:
    """Every regular file among the outputs."""
    places = [path for name in OUTPUTS for path in (tree / name).rglob("*")]
    return {str(path.relative_to(tree)): path.read_bytes() for path in places if path.is_file()}


def problem_of(ended: Ended, before: dict[str, bytes], tree: Path) -> str:
    """What is wrong with how a command took bad input; empty where nothing is."""
    if ended.code is None:
        return "hangs"
    if "Traceback" in ended.printed or ended.code < 0:
        return f"traceback or signal: {ended.printed.strip().splitlines()[-1:]}"
    if ended.code and "error:" not in ended.printed:
        return f"no message: {ended.printed[-300:]}"
    if ended.code and contents(tree) != before:
        return f"outputs changed: {sorted(set(contents(tree).items()) ^ set(before.items()))[0][0]}"
    return ""


def outcome(template: Path, case: Case, place: Path) -> str:
    """Run a case on a copy of the template: what is wrong, empty where nothing is."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(template, place, symlinks=True)
    case.spoil(place)
    before = contents(place)
    ended = fork_module(place, case.module, limits=case.limits, **case.environment)
    return problem_of(ended, before, place)


def preload() -> None:
    """Import once what the commands import, so that forks need not."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import workspace.registry.promotion
    import workspace.run.all_params
    import workspace.run.panel_file  # noqa: F401


def run(template: Path, place: Path, every: int = 1, until: float = math.inf) -> tuple[dict[str, int], list[str]]:
    """Every `every`-th case, in random order, until time.monotonic() is `until`: how many of each group, and what is wrong."""
    preload()
    counts: dict[str, int] = {}
    wrong = []
    chosen = list(cases())[::every]
    random.Random(0).shuffle(chosen)
    for case in chosen:
        if time.monotonic() > until:
            break
        counts[case.group] = counts.get(case.group, 0) + 1
        if problem := outcome(template, case, place):
            wrong.append(f"{case.group}, {case.name}: {problem}")
    return counts, wrong
