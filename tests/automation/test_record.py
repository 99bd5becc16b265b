"""Recording: data first, one commit, then the push; what is interrupted is finished by the next run."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automation import check_drift
from automation.run_loop import parsed
from demand.champion.champion_record import Champion
from tests.support.examples import ROOT


class Clone:
    """A clone of a bare repository with a directory as its DVC remote and something to record."""

    def __init__(self, place: Path) -> None:
        self.root, self.origin, self.store = place / "clone", place / "origin.git", place / "store"
        self.root.mkdir()
        (self.root / "reports").mkdir()
        (self.root / "data").mkdir()
        (self.root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        self.run("git", "init", "--quiet", "--initial-branch", "main")
        self.run("git", "config", "user.name", "someone")
        self.run("git", "config", "user.email", "someone@example.com")
        self.run("dvc", "init", "--quiet")
        self.run("dvc", "remote", "add", "--default", "store", str(self.store))
        self.changes(1)
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "-m", "first")
        self.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(self.origin))
        self.run("git", "remote", "add", "origin", str(self.origin))
        self.run("git", "push", "--quiet", "--set-upstream", "origin", "main")

    def changes(self, day: int) -> None:
        (self.root / "data/sales.csv").write_text(f"day {day}\n")
        self.run("dvc", "add", "--quiet", "data/sales.csv")
        summary = {"as_of": f"2025-01-0{day}", "retrain": False, "reasons": ["errors are normal"]}
        (self.root / "reports/drift_summary.json").write_text(json.dumps(summary))

    def run(self, *command: str, fails: bool = False, **environment: str) -> str:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        done = subprocess.run(command, cwd=self.root, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=kept | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(self.root.parent)} | environment)
        assert (done.returncode != 0) == fails, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def record(self, fails: bool = False) -> str:
        return self.run("python", "-m", "automation.push_results", fails=fails)

    def pushed(self) -> str:
        return subprocess.run(["git", "log", "--format=%s"], cwd=self.origin, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_data_then_commit_then_push_and_nothing_twice(clone: Clone) -> None:
    clone.changes(2)
    assert "recorded:" in clone.record()
    assert clone.pushed().splitlines() == ["Sales through 2025-01-02: keep", "first"]
    clone.run("rm", "-rf", ".dvc/cache", "data/sales.csv")
    clone.run("dvc", "pull")
    assert (clone.root / "data/sales.csv").read_text() == "day 2\n"
    assert "nothing to record" in clone.record()


def test_what_is_no_result_is_not_recorded(clone: Clone) -> None:
    (clone.root / "notes.txt").write_text("mine")
    assert "nothing to record" in clone.record()
    clone.changes(2)
    clone.record()
    assert clone.run("git", "status", "--porcelain").split() == ["??", "notes.txt"]


def test_a_secret_is_never_committed(clone: Clone) -> None:
    """However it came there, and however it is spelled."""
    clone.changes(2)
    report, before = clone.root / "reports/drift_summary.json", clone.pushed()
    good = report.read_text()
    report.write_text(good.replace("errors are normal", "https://host/?key=hush%2Fhush"))
    said = clone.run("python", "-m", "automation.push_results", fails=True, API_KEY="hush/hush\n")
    assert "error: reports/drift_summary.json: a secret stands in it, so nothing is committed" in said
    assert "hush%2F" not in said
    assert clone.pushed() == before == clone.run("git", "log", "--format=%s")
    assert not clone.run("git", "diff", "--cached")
    clone.run("python", "-m", "automation.push_results")  # before it was a secret
    report.write_text(good)
    clone.run("python", "-m", "automation.push_results", API_KEY="hush/hush\n")  # and it is taken out
    assert "hush" not in clone.run("git", "show", "HEAD:reports/drift_summary.json")


def test_no_commit_names_data_that_the_remote_has_not_got(clone: Clone) -> None:
    clone.changes(2)
    clone.store.rename(clone.store.with_name("away")) if clone.store.exists() else None
    clone.store.write_text("in the way of a directory")
    clone.record(fails=True)
    assert clone.pushed().splitlines() == ["first"]
    assert clone.run("git", "log", "--format=%s").splitlines() == ["first"]
    clone.store.unlink()
    clone.record()
    assert clone.pushed().splitlines()[0] == "Sales through 2025-01-02: keep"


def test_a_push_that_was_refused_is_made_up_for(clone: Clone) -> None:
    hook = clone.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'the disk is full' >&2\nexit 1\n")
    hook.chmod(0o755)
    clone.changes(2)
    said = clone.record(fails=True)
    assert "the disk is full" in said
    assert "somebody pushed" not in said
    assert clone.pushed().splitlines() == ["first"]
    hook.unlink()
    clone.record()
    assert clone.pushed().splitlines()[0] == "Sales through 2025-01-02: keep"
    assert "nothing to record" in clone.record()


def test_a_branch_that_has_moved_on_is_told_apart_from_one_that_is_protected(clone: Clone) -> None:
    other = clone.root.with_name("other")
    subprocess.run(["git", "clone", "--quiet", str(clone.origin), str(other)], check=True)
    for command in (["commit", "--quiet", "--allow-empty", "-m", "meanwhile"], ["push", "--quiet"]):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *command], cwd=other, check=True)
    clone.changes(2)
    said = clone.record(fails=True)
    assert "main has moved on: somebody pushed meanwhile" in said
    assert "protected" not in said
    assert clone.pushed().splitlines() == ["meanwhile", "first"]


def test_a_detached_head_is_refused_before_anything_is_done(clone: Clone) -> None:
    clone.run("git", "checkout", "--quiet", "--detach")
    clone.changes(2)
    assert "error: no branch is checked out (a detached HEAD)" in clone.record(fails=True)
    assert clone.run("git", "log", "--format=%s").splitlines() == ["first"]
    assert not clone.store.exists()
    refs = subprocess.run(["git", "for-each-ref"], cwd=clone.origin, capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in refs.splitlines()] == ["refs/heads/main"]


def test_without_a_remote_it_is_a_commit_here_and_pushed_later(clone: Clone) -> None:
    clone.run("dvc", "remote", "default", "--unset")
    clone.changes(2)
    said = clone.run("python", "-m", "automation.push_results", "--without-remote")
    assert "recorded here alone: " in said
    assert clone.pushed().splitlines() == ["first"]
    assert clone.run("git", "log", "--format=%s").splitlines() == ["Sales through 2025-01-02: keep", "first"]
    assert "nothing to record" in clone.run("python", "-m", "automation.push_results", "--without-remote")
    clone.run("dvc", "remote", "default", "store")
    clone.record()
    assert clone.pushed().splitlines() == ["Sales through 2025-01-02: keep", "first"]


def test_the_diary_of_the_drift_stage_is_kept_in_git(clone: Clone) -> None:
    """Each runner begins with an empty log."""
    lines = ["2025-01-02T00:00:00Z as_of=2025-01-01 champion=None retrain=True reasons=no champion: train, \"now\"",
             "2025-01-02T00:01:00Z as_of=2025-01-01 champion=20250102T000000Z retrain=False reasons=errors are normal; a=b"]
    log = clone.root / "logs/drift_logs.log"
    log.parent.mkdir()
    (log.parent / ".gitignore").write_text("*.log\n")
    for day, text in ((2, lines[0]), (3, "\n".join(lines))):
        log.write_text(f"{text}\n")
        clone.changes(day)
        clone.record()
    rows = list(csv.DictReader(clone.run("git", "show", "HEAD:metrics/drift_history.csv").splitlines()))
    assert [f"{row['at']} as_of={row['as_of']} champion={row['champion']} retrain={row['retrain']} reasons={row['reasons']}"
            for row in rows] == lines
    log.unlink()
    clone.changes(4)
    clone.record()
    log.write_text("2025-01-09T00:00:00Z as_of=2025-01-08 champion=None retrain=True reasons=another runner\n")
    clone.changes(5)
    clone.record()
    assert [row["as_of"] for row in csv.DictReader((clone.root / "metrics/drift_history.csv").open())] == [
        "2025-01-01", "2025-01-01", "2025-01-08"]
    log.write_text("2025-01-10T00:00:00Z as_of=2025-01-08 champion=None retrain=True reasons=nothing new\n")
    assert "nothing to record" in clone.record()


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "refs/heads/main.lock"])
def test_the_lock_of_a_killed_git_is_cleared_and_that_of_a_running_one_is_not(clone: Clone, name: str) -> None:
    lock = clone.root / ".git" / name
    lock.touch()
    clone.changes(2)
    held = subprocess.Popen(["git", "cat-file", "--batch"], cwd=clone.root / "data", stdin=subprocess.PIPE)  # waits for names
    try:
        assert f"Git is running here (process {held.pid})" in clone.record(fails=True)
        assert lock.exists()
    finally:
        held.communicate()
    assert f"removed .git/{name}, which a killed Git had left" in clone.record()
    assert clone.pushed().splitlines() == ["Sales through 2025-01-02: keep", "first"]


def champion(version: str) -> Champion:
    return Champion(version=version, model="m", sha256="0" * 64, trained_through="2025-01-01", train={}, horizon=90, baseline={},
                    promoted_at="2025-01-02T00:00:00Z", promoted_by="x", reason="", previous=None)


def deployment(version: str, result: str, as_of: str = "2025-01-01") -> dict[str, str]:
    return {"action": "deploy", "version": version, "result": result, "as_of": as_of}


ONE, TWO = "20250102T000000Z", "20250202T000000Z"


@pytest.mark.parametrize(("rows", "as_of", "due"), [
    ([], "2025-01-01", True),
    ([{"action": "promote", "version": TWO}], "2025-01-01", True),
    ([deployment(TWO, "deployed")], "2025-01-01", False),
    ([deployment(TWO, "unchanged")], "2025-01-01", False),
    ([deployment(ONE, "deployed")], "2025-01-01", True),  # another champion serves
    ([deployment(TWO, "failed")], "2025-01-01", True),
    ([deployment(TWO, "deployed"), deployment(ONE, "rolled_back")], "2025-01-01", False),  # the Space went back to this one
    ([deployment(TWO, "deployed")], "2025-03-02", False),  # 30 of 90 days are left
    ([deployment(TWO, "deployed")], "2025-03-03", True),
])
def test_when_a_deployment_is_due(rows: list[dict[str, str]], as_of: str, due: bool) -> None:
    assert (check_drift.deployment_due(champion(TWO), rows, check_drift.date.fromisoformat(as_of)) is not None) == due
    assert check_drift.deployment_due(None, rows, check_drift.date.fromisoformat(as_of)) is None


@pytest.mark.parametrize("drift", [True, False])
def test_a_deployment_is_due_with_drift_as_well(drift: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The candidate that is trained then may not be taken."""
    monkeypatch.chdir(tmp_path)
    summary = {"as_of": "2025-03-03", "retrain": drift, "champion": TWO, "trained_through": "2025-01-01", "reasons": ["an error"],
               "data_problems": []}
    (tmp_path / "reports").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "reports/drift_summary.json").write_text(json.dumps(summary))
    (tmp_path / "models/champion.json").write_text(champion(TWO).model_dump_json())
    monkeypatch.setattr(check_drift.dvc_remote, "repro", lambda *_: None)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setattr(sys, "argv", ["check", "--without-remote"])
    monkeypatch.setattr(check_drift.dvc_remote, "default", lambda: None)
    check_drift.main()
    told = parsed((tmp_path / "output").read_text())
    assert (told["retrain"], told["deploy"]) == (str(drift).lower(), "true")
    assert told["reason"] == ("an error" if drift else f"version {TWO} has not been deployed")  # that of the promotion


def test_imported_data_is_what_dvc_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere.csv").write_text("date,store,item,sales\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/near.csv").write_text("x\n")
    subprocess.run(["git", "init", "-q"], check=True)
    for command in ("init -q", f"import-url -q {tmp_path}/elsewhere.csv data/far.csv", "add -q data/near.csv"):
        subprocess.run([sys.executable, "-m", "dvc", *command.split()], check=True)
    assert check_drift.imported() == ["data/far.csv.dvc"]


def test_outputs_come_back_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from automation.support import github

    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    github.outputs(one="a\nb << c", two=True, three="")
    assert parsed((tmp_path / "output").read_text()) == {"one": "a\nb << c", "two": "true", "three": ""}
