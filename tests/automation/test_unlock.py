"""What a killed DVC leaves in its file of locks, with real DVC: cleared, and what a running one has there left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.examples import ROOT
from workspace.run.dvc_lock import half

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
STAGE = """
stages:
  slow:
    cmd: {command}
    outs: [out.txt]
"""
WAIT = """'touch started; until [ -e go ]; do sleep 0.05; done; echo done > out.txt'"""
ADD = "from workspace.run.dvc_command import run_dvc; run_dvc('add', 'model.pkl').check_returncode()"


class Tree:
    """A DVC repository with one stage that waits for the file `go`."""

    def __init__(self, root: Path) -> None:
        self.root, self.rwlock = root, root / ".dvc/tmp/rwlock"
        self.environment = os.environ | {"PATH": PATH, "PYTHONPATH": str(ROOT), "HOME": str(root), "DVC_NO_ANALYTICS": "1"}
        self.run("git", "init", "--quiet")
        self.run("dvc", "init", "--quiet")
        (root / "dvc.yaml").write_text(STAGE.format(command=WAIT))

    def run(self, *command: str, fails: bool = False) -> str:
        done = subprocess.run(command, cwd=self.root, env=self.environment, text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True, stdin=subprocess.PIPE)

    def unlock(self, fails: bool = False) -> str:
        said = self.run("python", "-m", "automation.unlock_dvc", fails=fails)
        assert "Traceback" not in said
        return said


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("content", ["", '{"read": {"/data/sal'])
def test_make_repro_goes_on_after_a_kill_that_left_half_a_lock_file(tree: Tree, content: str) -> None:
    (tree.root / "go").touch()
    tree.rwlock.write_text(content)
    assert "Unable to read RWLock-file" in tree.run("dvc", "repro", fails=True)
    recipe = next(part for part in (ROOT / "Makefile").read_text().split("\n\n") if part.startswith("repro:")).splitlines()[1:]
    said = tree.run("sh", "-ec", "\n".join(line.strip("\t@") for line in recipe))
    assert "removed .dvc/tmp/rwlock, which a killed DVC had left damaged" in said
    assert (tree.root / "out.txt").exists()


def test_what_automation_runs_goes_on_as_well(tree: Tree) -> None:
    (tree.root / "go").touch()
    tree.rwlock.write_text("")
    tree.run("python", "-c", "from automation.support import shell; shell.run(*shell.dvc('repro'))")
    assert (tree.root / "out.txt").exists()


def test_what_promotions_run_goes_on_as_well(tree: Tree) -> None:
    """`make torture` found it: killed inside `dvc add`, a promotion could not be run again."""
    (tree.root / "model.pkl").write_text("x")
    tree.rwlock.write_text("")
    tree.run("python", "-c", ADD)
    assert (tree.root / "model.pkl.dvc").exists()


@contextmanager
def dead() -> Iterator[int]:
    """A process that was killed and whose parent has not asked how it ended."""
    child = subprocess.Popen(["sleep", "60"])
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield child.pid
    child.wait()


@contextmanager
def another() -> Iterator[int]:
    """A process that has the number of a dead one."""
    child = subprocess.Popen(["sleep", "60"])
    yield child.pid
    child.kill()
    child.wait()


@pytest.mark.parametrize("process", [dead, another])
@pytest.mark.parametrize("argv", ["/usr/bin/dvc", "/my files/site-packages/dvc/__main__.py"])
def test_what_a_dead_process_locks_is_free(tree: Tree, process: Callable[[], Any], argv: str) -> None:
    """Torture found it: killed inside its second `dvc add`, a promotion could not be run again while its DVC was still listed."""
    path = tree.root / "model.pkl"
    path.write_text("x")
    with process() as pid:
        holder = {"pid": pid, "cmd": f"{argv} add model.pkl"}
        tree.rwlock.write_text(json.dumps({"write": {str(path): holder}, "read": {str(tree.root / "other"): [holder]}}))
        assert f"is busy, it is being blocked by:\n  (PID {pid})" in tree.run("dvc", "add", "model.pkl", fails=True)
        assert "removed from .dvc/tmp/rwlock what a killed DVC had locked" in tree.run("python", "-c", ADD)
    assert (tree.root / "model.pkl.dvc").exists()
    assert str(pid) not in tree.rwlock.read_text()


def test_what_a_running_dvc_locks_stays_beside_what_a_dead_one_did(tree: Tree) -> None:
    repro = tree.start("dvc", "repro")
    try:
        eventually((tree.root / "started").exists)
        running = json.loads(tree.rwlock.read_text())
        script = {"pid": os.getpid(), "cmd": "notebook.py"}  # one that uses DVC as a library
        with dead() as pid:
            killed = {"pid": pid, "cmd": "/usr/bin/dvc repro"}
            read = running["read"] | {"/data/sales.csv": [killed, script], "/data/items.csv": [killed]}
            tree.rwlock.write_text(json.dumps({"write": running["write"] | {"/data/out.csv": killed}, "read": read}))
            assert "removed" in tree.unlock()
        assert json.loads(tree.rwlock.read_text()) == {
            "write": running["write"], "read": running["read"] | {"/data/sales.csv": [script]}}
        assert running["write"][str(tree.root / "out.txt")]["pid"] == repro.pid
        (tree.root / "go").touch()
        assert repro.wait(60) == 0
    finally:
        end(repro)


def test_without_a_lock_file_or_with_a_sound_one_nothing_is_touched(tree: Tree) -> None:
    assert tree.unlock() == ""
    (tree.root / "go").touch()
    tree.run("dvc", "repro")
    before = tree.rwlock.read_bytes()
    assert tree.unlock() == ""
    assert tree.rwlock.read_bytes() == before


def test_under_a_dvc_that_runs_a_stage_it_is_left_alone(tree: Tree) -> None:
    """Such a DVC holds no lock; its entry in the file, which another one was killed over, is lost."""
    repro = tree.start("dvc", "repro")
    try:
        eventually((tree.root / "started").exists)
        assert str(repro.pid) in tree.rwlock.read_text()
        tree.rwlock.write_text("")
        said = tree.unlock(fails=True)
        assert f"process {repro.pid}: " in said
        assert "wait for it to end" in said
        assert tree.rwlock.read_text() == ""
        (tree.root / "go").touch()
        repro.wait(60)
    finally:
        end(repro)
    tree.unlock()
    tree.run("dvc", "repro")


def test_under_a_dvc_that_holds_the_lock_it_is_left_alone(tree: Tree) -> None:
    held = tree.start(sys.executable, "-c", "from dvc.repo import Repo\nwith Repo().lock: input()")
    lock = tree.root / ".dvc/tmp/lock"
    try:
        eventually(lambda: lock.exists() and lock.read_text().strip() == str(held.pid))
        tree.rwlock.write_text("")
        assert "it holds .dvc/tmp/lock" in tree.unlock(fails=True)
        assert tree.rwlock.exists()
    finally:
        end(held)
    assert "removed" in tree.unlock()


def test_another_project_s_dvc_is_no_reason_to_wait(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Tree(tmp_path_factory.mktemp("other"))
    repro = other.start("dvc", "repro")
    try:
        eventually((other.root / "started").exists)
        tree.rwlock.write_text("")
        assert "removed" in tree.unlock()
    finally:
        end(repro)


def test_a_run_that_is_cached_without_its_content_is_made_again(tree: Tree) -> None:
    (tree.root / "dvc.yaml").write_text(STAGE.format(command="cp in.txt out.txt") + "    deps: [in.txt]\n")
    (tree.root / "in.txt").write_text("x")
    tree.run("dvc", "repro")
    run, = (tree.root / ".dvc/cache/runs").glob("*/*")
    assert tree.unlock() == ""
    for path in (*run.iterdir(), tree.root / "dvc.lock", tree.root / "out.txt"):
        path.unlink()
    assert "failed to reproduce" in tree.run("dvc", "repro", fails=True)
    assert "which a killed DVC had left empty" in tree.unlock()
    tree.run("dvc", "repro")
    assert any(run.iterdir())


@pytest.mark.parametrize("known", [True, False])
def test_half_a_dvc_lock_is_again_as_git_has_it(tree: Tree, known: bool) -> None:
    """DVC truncates it, and writes it for a tenth of a second after every stage."""
    (tree.root / "go").touch()
    tree.run("dvc", "repro")
    if known:
        tree.run("git", "add", "dvc.lock")
    lockfile = tree.root / "dvc.lock"
    whole = lockfile.read_bytes()
    assert tree.unlock() == ""
    lockfile.write_bytes(whole[:whole.index(b"outs:") + 5])
    assert "dvc.lock" in tree.run("dvc", "repro", fails=True)
    assert "of which a killed DVC had written half" in tree.unlock()
    assert not lockfile.exists() or known
    said = tree.run("dvc", "repro")
    assert ("Running stage" in said) != known
    assert lockfile.read_bytes() == whole


def test_half_a_dvc_lock_is_told_from_what_dvc_reads(tmp_path: Path) -> None:
    """Cut anywhere, it is told to be half, or DVC reads it."""
    import yaml
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    whole, lockfile = (ROOT / "data/demo/dvc.lock").read_bytes(), tmp_path / "dvc.lock"
    found = []
    for end in range(len(whole) + 1):
        lockfile.write_bytes(whole[:end])
        found.append(half(lockfile))
        if not found[-1]:
            COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(whole[:end]))
    assert 0 < found.count(False) < whole.count(b"\n")
    assert not found[-1]
    lockfile.write_bytes(b"<<<<<<< HEAD\n" + whole)
    assert not half(lockfile)


def test_half_a_copy_that_a_killed_dvc_left_beside_a_file_is_never_committed(tree: Tree) -> None:
    """`push_results` adds whole folders: data, models, reports."""
    from dvc_objects.fs.utils import tmp_fname

    shutil.copy(ROOT / ".gitignore", tree.root)
    (tree.root / "models").mkdir()
    for name in (tmp_fname("model.pkl"), tmp_fname(), "champion.json"):
        (tree.root / "models" / name).write_text("x")
    assert tree.run("git", "status", "--porcelain", "--untracked-files=all", "models") == "?? models/champion.json\n"
