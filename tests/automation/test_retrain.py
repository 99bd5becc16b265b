"""`make retrain` without a DVC remote: the whole loop on this machine, nothing pushed; and what the documents say of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.examples import ROOT
from tests.support.pipelines import Project


@pytest.mark.slow
def test_without_a_remote_the_loop_runs_here(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path / "project")
    for name in ("automation", "api"):
        shutil.copytree(ROOT / name, project.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    project.run("git", "config", "user.name", "someone")
    project.run("git", "config", "user.email", "someone@example.com")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "-m", "The project")
    loop = ("env", "-u", "HF_SPACE", "-u", "SLACK_WEBHOOK_URL", "-u", "SMTP_HOST", "python", "-m", "automation.run_loop")
    said = project.run(*loop)
    first = project.read("models/champion.json")
    assert "as champion it serves its own forecasts" in said
    assert "new champion: " in said
    assert "left out, because no DVC remote is configured" in said
    assert "then: dvc push" not in said
    assert project.run("git", "log", "--format=%s").splitlines() == [
        f"Champion {first['version']}, trained through {first['trained_through']}", "The project"]
    assert project.run("git", "status", "--porcelain") == ""
    said = project.run(*loop)  # nothing new
    assert "no drift: " in said
    assert len(project.run("git", "log", "--format=%s").splitlines()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("remote", [True, False])
def test_promote_speaks_of_dvc_push_where_there_is_a_remote(bootstrapped: Project, tmp_path: Path, remote: bool) -> None:
    project = bootstrapped.copy(tmp_path / "project")
    if remote:
        project.run("dvc", "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
    assert ("then: dvc push" in project.promote("--reason", "first")) == remote


def test_the_example_of_a_source_names_a_remote_that_there_is(tmp_path: Path) -> None:
    """docs/serving.md: what api/fetch.py does with it in a clone of this repository."""
    text = (ROOT / "docs/serving.md").read_text()
    example = dict(line.split("=", 1) for line in re.search(r"```ini\n(.*?)```", text, re.DOTALL)[1].splitlines())  # type: ignore[index]
    (tmp_path / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", tmp_path / ".dvc/config")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for pair in example["SOURCE_REMOTE_CONFIG"].split():
        command = [sys.executable, "-m", "dvc", "remote", "modify", "--local", example["SOURCE_REMOTE"], *pair.split("=")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "github.com/" in example["SOURCE_GIT"]  # DagsHub has the data, not the code
