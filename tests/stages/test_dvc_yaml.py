"""dvc.yaml tells the whole truth: what each stage reads, writes and is set by."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from demand.champion.history_rows import HISTORY
from tests.support.examples import PARAMS, ROOT
from tests.support.pipelines import Project

PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
DEMO = yaml.safe_load((ROOT / "data/demo/dvc.yaml").read_text())
STAGES: dict[str, dict[str, Any]] = {**PIPELINE["stages"], **DEMO["stages"]}
ORDER = ["params", "prepare", "features", "drift", "window", "train", "evaluate", "compare", "forecast"]


PACKAGES = ("demand", "workspace", "stages")
# Only word messages, or hide secrets in them: rewording them reruns nothing.
WORDS = {"demand/schema/problem_messages.py", "workspace/run/command.py", "workspace/run/machine_errors.py",
         "workspace/secrets/redacted_output.py", "workspace/secrets/redaction.py"}


def imported(path: Path) -> set[Path]:
    """The files of this repository that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports escape this test"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        files = (ROOT / f"{name.replace('.', '/')}.py" for name in names if name.split(".")[0] in PACKAGES)
        found |= {file for file in files if file.exists()}
    return found


def closure(path: Path) -> set[Path]:
    """The file and all that it imports of this repository, directly or through others."""
    found, todo = set(), {path}
    while todo:
        one = todo.pop()
        found.add(one)
        todo |= imported(one) - found
    return found


def outs(stage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {next(iter(out)): next(iter(out.values())) for out in stage.get("outs", [])}


def code_deps(name: str) -> list[str]:
    """The files and folders of code that a stage names."""
    return [dep for dep in STAGES[name]["deps"] if dep.split("/")[0] in PACKAGES]


@pytest.mark.parametrize("name", STAGES)
def test_every_module_that_a_stage_imports_is_covered_by_its_deps_and_none_is_unused(name: str):
    needed = {str(path.relative_to(ROOT)) for path in closure(ROOT / f"stages/{name}.py")}
    named = code_deps(name)
    covered = {path for path in needed for dep in named if path == dep or path.startswith(f"{dep}/")}
    assert needed - covered <= WORDS
    unused = [dep for dep in named if not any(path == dep or path.startswith(f"{dep}/") for path in needed)]
    assert not unused
    assert len(named) == len(set(named))
    assert STAGES[name]["cmd"] == f"python -m stages.{name}"


def test_rewording_never_trains():
    """What only words messages or keeps records is no dependency of train; the libraries that decide numbers are one."""
    covered = {str(path.relative_to(ROOT)) for dep in code_deps("train") for path in
               ([ROOT / dep] if (ROOT / dep).is_file() else (ROOT / dep).rglob("*.py"))}
    records = {"demand/champion/model_card.py", "demand/champion/serving_rule.py", "demand/drift/report_page.py",
               "workspace/run/progress.py", "workspace/registry/store.py"}
    assert not covered & (WORDS | records)
    assert "requirements-model.txt" in STAGES["train"]["deps"]


def test_packages_hold_nothing_that_a_dependency_would_have_to_name():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("__init__.py"):
            assert len(ast.parse(path.read_text()).body) == 1, f"{path}: a docstring and nothing else"


def test_the_story_is_told_in_order():
    assert list(PIPELINE["stages"]) == ORDER
    assert all(stage["desc"] for stage in STAGES.values())
    assert PIPELINE["artifacts"]["demand-model"]["path"] == "models/model_latest.pkl"


def test_params_are_named_as_they_are_in_the_file_and_none_is_left_out():
    used = {name for stage in STAGES.values() for name in stage.get("params", [])}
    for name in used:
        place = PARAMS
        for key in name.split("."):
            assert key in place, name
            place = place[key]
    assert {name.split(".")[0] for name in used} == set(PARAMS) - {"promote"}  # the section of a command
    assert {f"data.{key}" for key in PARAMS["data"]} <= used


def test_a_stage_that_fails_leaves_what_was_there_and_git_gets_the_small_things():
    for name in ORDER:
        for out, settings in outs(STAGES[name]).items():
            assert settings["persist"], out
            assert settings.get("cache", True) == out.endswith((".parquet", ".pkl", ".csv", ".html")), out
    written = {out for stage in STAGES.values() for out in outs(stage)}
    assert written >= set(PIPELINE["metrics"])
    plots = [path for plot in PIPELINE["plots"] for settings in plot.values() for path in settings["y"]]
    record = "metrics/retrain_history.csv"  # written by promotions and deployments, no stage
    assert all(path.startswith("reports/plots/") for path in set(plots) - {record})
    assert record in plots
    assert (ROOT / record).read_text().splitlines()[0] == ",".join(HISTORY)  # there from the start, so that DVC can draw it
    assert "reports/plots" in written
    diaries = {"logs/drift_logs.log", "logs/retrain_logs.log"}
    assert not diaries & written


def test_dvc_cannot_interpolate_null_so_no_dependency_is_ever_null():
    names = [dep[2:-1] for stage in STAGES.values() for dep in stage["deps"] if dep.startswith("${")]
    assert sorted(names) == ["data.events", "data.items", "data.source", "data.stores", "data.test_file"]
    assert all(PARAMS["data"][name.split(".")[1]] for name in names)
    assert (ROOT / PARAMS["data"]["test_file"]).read_text() == "id,date,store,item\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDER)
def test_given_its_dependencies_alone_a_stage_writes_the_same_outs_to_the_byte(bootstrapped: Project, tmp_path: Path, name: str):
    """What a stage reads without saying so is not there, whether Python or a library opens it."""
    stage = STAGES[name]
    templates = {"${data.source}": "data/sales.csv", "${data.test_file}": "data/no_test.csv",
                 **{f"${{data.{name}}}": f"data/no_{name}.csv" for name in ("events", "items", "stores")}}
    for dep in (*WORDS, *(templates.get(dep, dep) for dep in stage["deps"])):
        place = bootstrapped.root / dep
        for path in [place] if place.is_file() else place.rglob("*.py"):
            put(path, bootstrapped.root, tmp_path)
    for package in PACKAGES:
        for path in (bootstrapped.root / package).rglob("__init__.py"):
            put(path, bootstrapped.root, tmp_path)
    changed = undeclared_changed(yaml.safe_load((bootstrapped.root / "params.yaml").read_text()), stage.get("params", []))
    if name != "params":  # reads all of them
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(changed))
    if name == "drift":
        shutil.copytree(bootstrapped.root / "evidently", tmp_path / "evidently")
    given = {path for path in tmp_path.rglob("*") if path.is_file()}
    environment = bootstrapped.environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(stage["cmd"].split(), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file() and path not in given}
    assert {path for path in written if not path.startswith("logs/")} == files(bootstrapped.root, outs(stage))
    for path in written - {"logs/drift_logs.log"}:
        assert (tmp_path / path).read_bytes() == (bootstrapped.root / path).read_bytes(), path


def put(path: Path, root: Path, target: Path) -> None:
    """Copy a file to the same place below another root."""
    copy = target / path.relative_to(root)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, copy)


OTHER = {"data.as_of": "2021-01-01", "data.test_file": "other.csv", "data.source": "other.csv",
         "data.calendar": {"default": "DE"}, "data.events": "other.csv", "data.items": "other.csv", "data.stores": "other.csv",
         "data.files": "x*",
         "data.missing_days": "zero", "data.date_format": "%Y-%d-%m", "data.separator": "|", "data.decimal": ",",
         "data.encoding": "cp1252", **{f"data.columns.{name}": f"other {name}" for name in ("date", "store", "item", "sales")},
         "demo.start": "2001-01-01", "demo.drift.kind": "level", "demo.drift.start": "2001-02-01",
         "train.algorithm": "random_forest", "train.base": "level"}


def undeclared_changed(params: dict[str, Any], declared: list[str], path: str = "") -> dict[str, Any]:
    """Every value that the stage does not declare is another valid one: reading it would show in the outs."""
    changed: dict[str, Any] = {}
    for key, value in params.items():
        dotted = f"{path}.{key}".lstrip(".")
        if any(dotted == name or dotted.startswith(f"{name}.") for name in declared):
            changed[key] = value
        elif isinstance(value, dict):
            changed[key] = undeclared_changed(value, declared, dotted)
        elif dotted in OTHER:
            changed[key] = OTHER[dotted]
        elif isinstance(value, bool):
            changed[key] = not value
        elif isinstance(value, list):
            changed[key] = ["promo"]
        else:
            changed[key] = value + 1 if isinstance(value, int) else value * 1.01
    return changed


def files(root: Path, paths: dict[str, Any]) -> set[str]:
    """Those paths, and for directories what they hold."""
    found = set()
    for path in paths:
        inside = [root / path] if (root / path).is_file() else [one for one in (root / path).rglob("*") if one.is_file()]
        found |= {os.path.relpath(one, root) for one in inside}
    return found
