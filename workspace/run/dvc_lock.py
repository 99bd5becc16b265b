"""The lock file of DVC that a killed one has left damaged, with which every later `dvc` command fails: found and removed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from demand.schema.errors import UserError

TMP = Path(".dvc/tmp")
RWLOCK = TMP / "rwlock"
RUNNING = "{path} is damaged, and DVC is running here ({who}): wait for it to end, or end it, and run this again"


def damaged() -> bool:
    """Whether the file of locks is there and is no JSON object."""
    try:
        return not isinstance(json.loads(RWLOCK.read_bytes()), dict)
    except FileNotFoundError:
        return False
    except ValueError:
        return True


def clear() -> bool:
    """Remove the file of locks if it is damaged and no DVC runs here; whether it was removed."""
    if not damaged():
        return False
    from dvc.lock import LockError, make_lock
    from dvc.repo import Repo

    with Repo() as repository, ExitStack() as held:
        hardlink = repository.config["core"].get("hardlink_lock", False)
        for name in ("lock", "rwlock.lock"):  # in DVC's own order; it may be rewriting the file at this very moment
            try:
                held.enter_context(make_lock(str(TMP / name), tmp_dir=str(TMP), hardlink_lock=hardlink))
            except LockError:
                if not damaged():
                    return False
                raise UserError(RUNNING.format(path=RWLOCK, who=f"it holds {TMP / name}")) from None
        if not damaged():
            return False
        # While one runs a command of a stage it holds neither lock, and what it had written down is lost.
        if processes := [f"process {pid}: {command}" for pid, command in running(Path.cwd())]:
            raise UserError(RUNNING.format(path=RWLOCK, who="; ".join(processes)))
        RWLOCK.unlink()
    print(f"removed {RWLOCK}, which a killed DVC had left damaged", flush=True)
    return True


def running(project: Path) -> Iterator[tuple[int, str]]:
    """Other processes that run DVC in this project: id and command line."""
    import psutil

    for process in psutil.process_iter(["cmdline", "cwd"]):
        command, place = process.info["cmdline"] or [], process.info["cwd"]
        if process.pid != os.getpid() and place and Path(place).is_relative_to(project) and is_dvc(command):
            yield process.pid, " ".join(command)


def is_dvc(command: list[str]) -> bool:
    """Whether a command line is that of DVC: the script, or `python -m dvc`."""
    return any(Path(part).name == "dvc" for part in command[:2]) or command[1:3] == ["-m", "dvc"]
