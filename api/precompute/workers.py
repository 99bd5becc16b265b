"""One server is one process or several workers, which share a private directory."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

PREFIX = f"demand-api-{os.getuid()}-"
IN_USE = "in-use"  # a file in the directory that each worker holds a shared lock on
_locks: list[TextIO] = []  # of this process, until it ends


def leader() -> int:
    """The process id that all workers of this server know: their parent's, or this process's own."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or parent.pid is None else parent.pid


def several() -> bool:
    """Whether this process is one worker of several, started by uvicorn."""
    return multiprocessing.parent_process() is not None


def directory(base: Path | None = None) -> Path:
    """The server's own directory, made on first use; those of servers that are gone are removed."""
    base = base or Path(tempfile.gettempdir())
    base.mkdir(parents=True, exist_ok=True)
    with (base / f"{PREFIX}lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for other in base.glob(f"{PREFIX}*/"):
            if not in_use(other):
                shutil.rmtree(other, ignore_errors=True)
        own = base / f"{PREFIX}{leader()}"
        own.mkdir(mode=0o700, exist_ok=True)
        if own.stat().st_uid != os.getuid():
            raise RuntimeError(f"{own} belongs to another user: set STATE_DIR to a directory of your own")
        _locks.append((own / IN_USE).open("w"))
        fcntl.flock(_locks[-1], fcntl.LOCK_SH)
    return own


def in_use(path: Path) -> bool:
    """Whether a process holds the directory's lock; one that belongs to another user counts as in use."""
    try:
        with (path / IN_USE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
