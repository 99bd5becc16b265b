"""The gate, by real `dvc repro`: it trains when there is drift, and only then; nothing old comes back; kills are made good."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from demand.schema.json_record import sha256
from tests.support.pipelines import DRIFTS, FIRST, LATER, QUIET, RAN, START, STILL, Project, as_of

pytestmark = pytest.mark.slow

TRAINING = {"train", "evaluate"}


def test_the_gate(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path)
    first = project.model()
    project.promote()
    champion = project.read("models/champion.json")
    assert champion["sha256"] == sha256(first)
    assert not TRAINING & set(project.repro())  # drift looks at the new champion, nothing is trained
    assert project.repro() == []

    project.set(as_of(QUIET))  # eight more weeks
    ran = project.repro()
    assert {"prepare", "features", "drift", "window", "forecast"} <= set(ran)
    assert not TRAINING & set(ran)
    assert project.read("reports/retrain_flag.json") == {"train_through": champion["trained_through"]}
    summary = project.read("reports/drift_summary.json")
    assert summary["reasons"][0].startswith("errors are normal")
    assert summary["current_mape"] < 1.2 * summary["baseline_mape"]

    project.set(as_of(DRIFTS))
    assert set(project.repro()) >= TRAINING
    summary = project.read("reports/drift_summary.json")
    assert summary["concept_drift_detected"]
    assert "sales against their forecast of all series together" in summary["reasons"][0]
    second = project.model()

    project.set(as_of(STILL))  # drift again, before anything was promoted
    assert set(project.repro()) >= TRAINING
    assert project.read("reports/retrain_flag.json") == {"train_through": str(FIRST + STILL)}
    third = project.model()

    project.set(as_of(LATER))  # back to normal for three months
    project.repro()
    assert not project.read("reports/drift_summary.json")["concept_drift_detected"]
    assert project.read("reports/retrain_flag.json")["train_through"] >= str(FIRST + STILL)
    fourth = project.model()
    assert len({first, second, third}) == 3
    assert fourth not in (first, second)
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."


def test_repros_that_are_killed_are_made_good_by_the_next(bootstrapped: Project, tmp_path: Path) -> None:
    """And the lock is, to the byte, that of one that was left alone."""
    project = bootstrapped.copy(tmp_path / "killed")
    project.promote()
    project.set({**as_of(QUIET), "train": {"max_depth": 3}})
    alone = project.copy(tmp_path / "alone")
    done: set[str] = set()
    for stage in ("train", "forecast"):
        begun = kill_in(project, stage)
        assert begun[-1] == stage
        assert not done & set(begun)  # what was done stays done
        done |= set(begun[:-1])
    assert project.repro() == ["forecast"]
    assert not list(project.root.rglob("*.part"))
    alone.repro()
    assert (project.root / "dvc.lock").read_bytes() == (alone.root / "dvc.lock").read_bytes()
    training = project.read("metrics/train.json")  # the new setting was fitted to the champion's window
    assert (training["trained_through"], training["train"]["max_depth"]) == (str(FIRST + START), 3)
    assert not project.read("metrics/compare.json")["same_configuration"]


def kill_in(project: Project, stage: str) -> list[str]:
    """Start `dvc repro`, kill all of it when a stage has begun to run; the stages that were begun."""
    process = subprocess.Popen(["dvc", "repro"], cwd=project.root, env=project.environment(), text=True, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    begun: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        begun += RAN.findall(line)
        if begun and begun[-1] == stage and line.startswith(">"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return begun


def test_a_champion_that_is_not_here_is_fetched_while_repro_runs(bootstrapped: Project, tmp_path: Path) -> None:
    """As in CI: a clone with its small files only; the champion is in the remote, where `dvc push` put it."""
    project = bootstrapped.copy(tmp_path / "project")
    project.promote()
    model = project.root / project.read("models/champion.json")["model"]
    project.run("dvc", "remote", "add", "-d", "store", str(tmp_path / "remote"))
    project.run("dvc", "push", f"{model}.dvc")
    shutil.rmtree(project.root / ".dvc/cache")
    model.unlink()
    project.set(as_of(QUIET))
    assert project.repro("drift")[-1] == "drift"
    assert sha256(model.read_bytes()) == project.read("models/champion.json")["sha256"]
    shutil.rmtree(tmp_path / "remote")
    shutil.rmtree(project.root / ".dvc/cache")
    model.unlink()
    said = project.run("dvc", "repro", "--force", "--single-item", "drift", fails=True)
    assert "DVC could not bring it" in said
    assert f"run: dvc pull {model.relative_to(project.root)}.dvc" in said
    assert "Traceback" not in said


def negative_sales(project: Project) -> None:
    path = project.root / "data/sales.csv"
    path.write_text(path.read_text().replace("2020-03-04,1,1,", "2020-03-04,1,1,-"))


SPOILED: list[tuple[Callable[[Project], None], str]] = [
    (lambda project: project.set({"train": {"max_dept": 3}}), "train.max_dept is unknown: did you mean max_depth?"),
    (lambda project: project.set(as_of(5000)), "data.as_of = 2033-09-09 lies outside"),
    (lambda project: project.set({"data": {"test_file": "data/sales.csv"}}), "data/sales.csv has no column"),
    (negative_sales, "negative sales"),
]


def test_bad_input_is_one_message_and_leaves_what_was_there(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path)
    before = outputs(project)
    params = (project.root / "params.yaml").read_text()
    for spoil, message in SPOILED:
        spoil(project)
        said = project.run("dvc", "repro", fails=True)
        assert message in said
        assert "Traceback" not in said
        assert outputs(project) == before
        (project.root / "params.yaml").write_text(params)


def outputs(project: Project) -> dict[str, bytes]:
    """What the stages have written, by path."""
    folders = ("data/processed", "data/forecast", "metrics", "reports", "models")
    return {str(path.relative_to(project.root)): path.read_bytes()
            for folder in folders for path in (project.root / folder).rglob("*") if path.is_file()}
