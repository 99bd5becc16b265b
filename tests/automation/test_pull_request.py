"""A branch that nobody may push to: what is recorded is proposed, in one pull request that is kept up to date."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.automation.test_record import Clone
from tests.support.pulls import Pulls, protect

BRANCH = "automation/main"


class Protected:
    """A clone of a repository whose main branch is protected."""

    def __init__(self, place: Path, environment: dict[str, str], pulls: list[dict[str, Any]]) -> None:
        self.clone, self.pulls = Clone(place), pulls
        self.environment = environment | {"GITHUB_TOKEN": "right", "RECORD_BY": "pull-request"}
        protect(self.clone.origin)

    def record(self, fails: bool = False, **environment: str) -> str:
        return self.clone.run("python", "-m", "automation.push_results", fails=fails, **self.environment | environment)

    def log(self, branch: str) -> list[str]:
        command = ["git", "log", "--format=%s", branch]
        return subprocess.run(command, cwd=self.clone.origin, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def protected(tmp_path: Path) -> Iterator[Protected]:
    with Pulls.serving(tmp_path / "origin.git") as (environment, pulls):
        yield Protected(tmp_path, environment, pulls)


def test_a_push_says_what_is_wrong_and_what_to_do(protected: Protected) -> None:
    protected.clone.changes(2)
    said = protected.record(fails=True, RECORD_BY="")
    assert "GH006" in said
    assert "the server declines a push to main (see above), as it does where the branch is protected" in said
    assert "RECORD_BY to pull-request" in said
    assert "somebody pushed" not in said


def test_it_is_proposed_instead(protected: Protected) -> None:
    protected.clone.changes(2)
    said = protected.record()
    assert "recorded on automation/main, which waits to be merged (https://github.com/someone/demand/pull/1)" in said
    assert said.splitlines()[-3:] == ["recorded: true", f"branch: {BRANCH}", "pull_request: https://github.com/someone/demand/pull/1"]
    assert (protected.log("main"), protected.log(BRANCH)) == (["first"], ["Sales through 2025-01-02: keep", "first"])
    pull, = protected.pulls
    assert (pull["head"], pull["base"], pull["title"]) == (BRANCH, "main", "Sales through 2025-01-02: keep")
    for text in ("sales through 2025-01-02, no drift: errors are normal", "`data/sales.csv.dvc`", "Until this is merged `main`"):
        assert text in pull["body"]
    protected.clone.run("rm", "-rf", ".dvc/cache", "data/sales.csv")
    protected.clone.run("dvc", "pull")  # the data are there before anybody merges


def test_the_next_run_starts_from_main_and_updates_the_same_pull_request(protected: Protected) -> None:
    protected.clone.changes(2)
    protected.record()
    protected.clone.run("git", "reset", "--quiet", "--hard", "origin/main")  # as a new runner
    protected.clone.changes(3)
    protected.record()
    assert protected.log(BRANCH) == ["Sales through 2025-01-03: keep", "first"]
    assert [(pull["number"], pull["title"]) for pull in protected.pulls] == [(1, "Sales through 2025-01-03: keep")]


@pytest.mark.parametrize("depth", [(), ("--depth", "1")])
def test_a_later_job_goes_on_with_the_branch(protected: Protected, depth: tuple[str, ...]) -> None:
    protected.clone.changes(2)
    protected.record()
    job = protected.clone.root.with_name("job")
    origin = f"file://{protected.clone.origin}"
    subprocess.run(["git", "clone", "--quiet", *depth, "--branch", BRANCH, origin, str(job)], check=True)
    protected.clone.root = job
    protected.clone.changes(3)
    history = "at,action,version,previous,trained_through,result,reason\nnow,deploy,2,1,2025-01-03,failed,no answer\n"
    (job / "metrics").mkdir()
    (job / "metrics/retrain_history.csv").write_text(history)
    assert f"recorded on {BRANCH}, " in protected.record(GIT_AUTHOR_NAME="x", GIT_AUTHOR_EMAIL="x@example.com")
    subject = "Deployment failed: 2, trained through 2025-01-03"
    assert protected.log(BRANCH) == [subject, "Sales through 2025-01-02: keep", "first"]
    assert len(protected.pulls) == 1
    assert "- deploy 2, trained through 2025-01-03: failed: no answer" in protected.pulls[0]["body"]


def test_after_the_merge_nothing_is_left_to_record(protected: Protected) -> None:
    protected.clone.changes(2)
    protected.record()
    protect(protected.clone.origin, False)
    protected.clone.run("git", "push", "--quiet", "origin", "HEAD:main")  # somebody merges
    protected.pulls[0]["state"] = "closed"
    protect(protected.clone.origin)
    protected.clone.run("git", "fetch", "--quiet")
    assert "nothing to record" in protected.record()
    protected.clone.changes(3)
    assert "pull/2" in protected.record()


def test_what_github_refuses_is_told_with_its_remedy(protected: Protected) -> None:
    protected.clone.changes(2)
    assert "Allow GitHub Actions to create and approve pull requests" in protected.record(fails=True, GITHUB_TOKEN="reader")
    assert "has been pushed: GITHUB_TOKEN is not set" in protected.record(fails=True, GITHUB_TOKEN="")
    assert "RECORD_BY='mail' is neither of push and pull-request" in protected.record(fails=True, RECORD_BY="mail")
    assert "GitHub cannot be reached" in protected.record(fails=True, GITHUB_API_URL="http://127.0.0.1:9")
    assert "pull/1" in protected.record()  # run again it finishes
