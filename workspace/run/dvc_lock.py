"""What a killed DVC leaves, with which a later one fails: repaired.

Its file of locks, .dvc/tmp/rwlock: damaged, or with locks that nobody holds. Half a dvc.lock, which it rewrites in place
after every stage. A folder of its cache of runs that it had made and not filled yet.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from demand.schema.errors import UserError
from workspace.run.files import write_json

TMP = Path(".dvc/tmp")
RWLOCK = TMP / "rwlock"
RUNS = Path(".dvc/cache/runs")
LOCKFILES = Path("dvc.lock"), Path("data/demo/dvc.lock")
RUNNING = "{path} is damaged, and DVC is running here ({who}): wait for it to end, or end it, and run this again"
DVC_COMMAND = re.compile(r"(^|/)dvc(/__main__\.py)?( |$)")  # how DVC writes its own command line down
Locks = dict[str, dict[str, Any]]  # "read" and "write": each path, and the process, or the list of processes, that locks it


def clear() -> None:
    """Repair all of it, unless a DVC that runs here is at work on it."""
    if sound():
        return
    from dvc.lock import LockError, make_lock
    from dvc.repo import Repo

    with Repo() as repository, ExitStack() as held:
        hardlink = repository.config["core"].get("hardlink_lock", False)
        for name in ("lock", "rwlock.lock"):  # in DVC's own order; it may be rewriting a file at this very moment
            try:
                held.enter_context(make_lock(str(TMP / name), tmp_dir=str(TMP), hardlink_lock=hardlink))
            except LockError:
                if read_locks():
                    return
                raise UserError(RUNNING.format(path=RWLOCK, who=f"it holds {TMP / name}")) from None
        for run in empty_runs():
            run.rmdir()
            print(f"removed {run}, which a killed DVC had left empty", flush=True)
        repair_lockfiles()
        repair_locks()


def sound() -> bool:
    """Whether nothing is to be repaired."""
    found = read_locks()
    return found is not None and found[0] == found[1] and not any(map(half, LOCKFILES)) and not empty_runs()


def empty_runs() -> list[Path]:
    """Folders of the cache of runs without a run."""
    return [run for run in RUNS.glob("*/*") if run.is_dir() and not any(run.iterdir())]


def half(lockfile: Path) -> bool:
    """Whether only the beginning of a dvc.lock was written; one with the marks of a merge is the user's."""
    try:
        text = lockfile.read_bytes()
        return not isinstance(yaml.load(text, yaml.CSafeLoader), dict) or not text.endswith(b"\n") or text.endswith(b":\n")
    except FileNotFoundError:
        return False
    except yaml.YAMLError:
        return b"<<<<<<<" not in text


def repair_lockfiles() -> None:
    """Bring back what Git has of each; without that DVC begins anew."""
    for path in filter(half, LOCKFILES):
        subprocess.run(["git", "checkout", "--quiet", "--", str(path)], capture_output=True, check=False)
        if again := half(path):
            path.unlink()
        print(f"{path}, of which a killed DVC had written half, is {'removed' if again else 'again as Git has it'}", flush=True)


def repair_locks() -> None:
    """Drop the locks of dead processes, and the whole file where it is damaged and no DVC runs here."""
    found = read_locks()
    if found is None:
        # While one runs a command of a stage it holds neither lock, and what it had written down is lost.
        if processes := [f"process {pid}: {command}" for pid, command in running(Path.cwd())]:
            raise UserError(RUNNING.format(path=RWLOCK, who="; ".join(processes)))
        RWLOCK.unlink()
        print(f"removed {RWLOCK}, which a killed DVC had left damaged", flush=True)
    elif found[0] != found[1]:
        write_json(RWLOCK, found[1])
        print(f"removed from {RWLOCK} what a killed DVC had locked", flush=True)


def read_locks() -> tuple[Locks, Locks] | None:
    """All locks that are written down, and those of living processes; None where the file is damaged."""
    try:
        locks = json.loads(RWLOCK.read_bytes())
        return locks, {mode: dict(living(paths)) for mode, paths in locks.items()}
    except FileNotFoundError:
        return {}, {}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def living(locked: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The paths that living processes lock, and these."""
    for path, holders in locked.items():
        if isinstance(holders, dict):
            left: Any = holders if lives(holders) else None
        else:
            left = [holder for holder in holders if lives(holder)]
        if left:
            yield path, left


def lives(holder: dict[str, Any]) -> bool:
    """Whether the process that wrote this lock down runs still.

    DVC itself goes by the number alone. So it waits for a dead process whose parent has not asked how it ended, which is the
    rule after a kill where process 1 is no init, as in many containers; and for any other process that has the number since.
    """
    import psutil

    try:
        process = psutil.Process(holder["pid"])
        command = process.cmdline()
    except psutil.NoSuchProcess:  # a dead one that is still listed included
        return False
    except psutil.AccessDenied:
        return True
    return is_dvc(command) or not DVC_COMMAND.search(holder["cmd"])


def running(project: Path) -> Iterator[tuple[int, str]]:
    """Other processes that run DVC in this project: id and command line."""
    import psutil

    for process in psutil.process_iter(["cmdline", "cwd"]):
        command, place = process.info["cmdline"] or [], process.info["cwd"]
        if process.pid != os.getpid() and place and Path(place).is_relative_to(project) and is_dvc(command):
            yield process.pid, " ".join(command)


def is_dvc(command: list[str]) -> bool:
    """Whether a command line may be that of DVC: the script, or `python -m dvc`."""
    return any(Path(part).name == "dvc" for part in command)
