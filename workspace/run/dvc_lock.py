"""DVC's file of locks as a killed DVC leaves it, damaged or with locks that nobody holds: repaired, so that DVC goes on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from demand.schema.errors import UserError
from workspace.run.files import write_json

TMP = Path(".dvc/tmp")
RWLOCK = TMP / "rwlock"
RUNNING = "{path} is damaged, and DVC is running here ({who}): wait for it to end, or end it, and run this again"
DVC_COMMAND = re.compile(r"(^|/)dvc(/__main__\.py)?( |$)")  # how DVC writes its own command line down
Locks = dict[str, dict[str, Any]]  # "read" and "write": each path, and the process, or the list of processes, that locks it


def clear() -> bool:
    """Drop locks of dead processes, and the whole file where it is damaged and no DVC runs here; whether there was any."""
    found = read_locks()
    if found and found[0] == found[1]:
        return False
    from dvc.lock import LockError, make_lock
    from dvc.repo import Repo

    with Repo() as repository, ExitStack() as held:
        hardlink = repository.config["core"].get("hardlink_lock", False)
        for name in ("lock", "rwlock.lock"):  # in DVC's own order; it may be rewriting the file at this very moment
            try:
                held.enter_context(make_lock(str(TMP / name), tmp_dir=str(TMP), hardlink_lock=hardlink))
            except LockError:
                if read_locks():
                    return False
                raise UserError(RUNNING.format(path=RWLOCK, who=f"it holds {TMP / name}")) from None
        return repair()


def repair() -> bool:
    """The same, while DVC's own locks are held."""
    found = read_locks()
    if found and found[0] == found[1]:
        return False
    if found:
        write_json(RWLOCK, found[1])
        print(f"removed from {RWLOCK} what a killed DVC had locked", flush=True)
        return True
    # While one runs a command of a stage it holds neither lock, and what it had written down is lost.
    if processes := [f"process {pid}: {command}" for pid, command in running(Path.cwd())]:
        raise UserError(RUNNING.format(path=RWLOCK, who="; ".join(processes)))
    RWLOCK.unlink()
    print(f"removed {RWLOCK}, which a killed DVC had left damaged", flush=True)
    return True


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
