"""The comment on a pull request: real `dvc metrics diff` and `dvc plots diff`, and a stand-in for GitHub's comments."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation import comment_on_pr
from demand.schema.errors import UserError
from tests.support.comments import Comments
from tests.support.examples import ROOT
from tests.support.pipelines import Project

NEW = "0" * 40  # what GitHub calls the commit before the first push


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What stands under the pull request."""
    monkeypatch.setenv("PULL_REQUEST", "7")
    with Comments.serving(["looks good", "please rebase"]) as (address, texts):
        for name, value in {"API_URL": address, "REPOSITORY": "someone/demand", "TOKEN": "right"}.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        yield texts


def test_one_comment_that_is_updated_in_place(texts: list[str]) -> None:
    assert comment_on_pr.post(f"{comment_on_pr.MARK}\nfirst") == "commented"
    assert comment_on_pr.post(f"{comment_on_pr.MARK}\nsecond") == "comment 2 updated"
    assert texts == ["looks good", "please rebase", f"{comment_on_pr.MARK}\nsecond"]


def test_it_is_found_behind_a_hundred_others(texts: list[str]) -> None:
    texts[:] = [f"number {n}" for n in range(250)]
    texts[230] = f"{comment_on_pr.MARK}\nold"
    assert comment_on_pr.post(f"{comment_on_pr.MARK}\nnew") == "comment 230 updated"
    assert len(texts) == 250


def test_a_fork_may_not_comment_and_is_told_so(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "fork")
    assert comment_on_pr.post("text") == comment_on_pr.DENIED
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    with pytest.raises(UserError, match="GitHub answers 401"):
        comment_on_pr.post("text")
    assert len(texts) == 2


@pytest.mark.slow
def test_what_is_written(bootstrapped: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = bootstrapped.copy(tmp_path)
    project.run("git", "add", "--all")
    project.run("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "base")
    monkeypatch.chdir(project.root)
    for name, value in {"SERVER_URL": "https://github.com", "REPOSITORY": "someone/demand", "RUN_ID": "12"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert "No metric has changed." in comment_on_pr.written("HEAD")
    project.set({"train": {"n_estimators": 2}})
    before = project.read("metrics/evaluate.json")["smape"]
    project.repro("evaluate")
    after = project.read("metrics/evaluate.json")["smape"]
    text = comment_on_pr.written("HEAD")
    row = next(line for line in text.splitlines() if re.match(r"\| metrics/evaluate.json +\| smape ", line))
    assert [float(cell) for cell in row.split("|")[3:6]] == pytest.approx([before, after, after - before], abs=1e-4)
    assert re.search(r"train\.n_estimators +\| 20 +\| 2 ", text)
    assert "https://github.com/someone/demand/actions/runs/12" in text
    assert "**dvc.lock not current**" in text
    assert text.startswith(comment_on_pr.MARK)
    page = (project.root / "dvc_plots/index.html").read_text()
    assert "Error by week of the horizon" in page


def git(place: Path, *command: str) -> str:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *settings, *command], cwd=place, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def pushed(tmp_path: Path) -> Path:
    """A DVC project of one commit, and its bare origin."""
    place = tmp_path / "project"
    place.mkdir()
    git(place, "init", "--quiet", "--initial-branch", "main")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=place, check=True)
    (place / "dvc.yaml").write_text("metrics: [error.json]\n")
    (place / "error.json").write_text('{"smape": 12}')
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "first")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", "origin.git")
    git(place, "remote", "add", "origin", f"file://{tmp_path}/origin.git")
    git(place, "push", "--quiet", "--set-upstream", "origin", "main")
    return place


def write(place: Path, base: str) -> str:
    command = [sys.executable, "-m", "automation.comment_on_pr", "write", "--base", base, "--file", "comment.md"]
    done = subprocess.run(command, cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return (place / "comment.md").read_text()


def change(place: Path, smape: int) -> None:
    (place / "error.json").write_text(json.dumps({"smape": smape}))
    git(place, "commit", "--quiet", "--all", "--message", f"smape {smape}")


@pytest.mark.parametrize("base", [NEW, ""])
def test_the_first_push_of_a_repository_has_nothing_to_compare_with(pushed: Path, base: str) -> None:
    assert "nothing to compare with: this is the first push of the branch" in write(pushed, base)


def test_the_first_push_of_several_commits_is_compared_with_the_parent(pushed: Path) -> None:
    change(pushed, 10)
    text = write(pushed, NEW)
    assert re.search(r"smape +\| 12 +\| 10 +\| -2 ", text)
    assert "HEAD^ is the commit before this one: this is the first push of the branch" in text


def test_after_a_force_push_the_old_commit_is_fetched(pushed: Path) -> None:
    change(pushed, 20)
    old = git(pushed, "rev-parse", "HEAD")
    git(pushed, "push", "--quiet")
    git(pushed, "reset", "--quiet", "--hard", "HEAD^")
    change(pushed, 11)
    git(pushed, "push", "--quiet", "--force")
    git(pushed.parent, "clone", "--quiet", f"file://{pushed.parent}/origin.git", "clone")
    git(pushed.parent / "origin.git", "config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub allows
    assert re.search(r"smape +\| 20 +\| 11 +\| -9 ", write(pushed.parent / "clone", old))


@pytest.mark.parametrize("depth", [1, 2])
def test_after_a_force_push_the_old_commit_may_be_gone(pushed: Path, depth: int) -> None:
    change(pushed, 10)
    git(pushed, "push", "--quiet")
    git(pushed.parent, "clone", "--quiet", f"--depth={depth}", f"file://{pushed.parent}/origin.git", "clone")
    text = write(pushed.parent / "clone", "1234567890" * 4)
    assert "commit 1234567890 is no longer in the repository" in text
    assert ("nothing to compare with" in text) == (depth == 1)
    assert bool(re.search(r"smape +\| 12 +\| 10 +\| -2 ", text)) == (depth == 2)
