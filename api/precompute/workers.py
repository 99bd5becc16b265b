"""One server is one process or several workers: what they share is a private directory that carries the server's identity."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = f"demand-api-{os.getuid()}-"


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
    for left in base.glob(f"{PREFIX}*"):
        pid, _, started = left.name.removeprefix(PREFIX).partition("-")
        if pid.isdigit() and start_time(int(pid)) != started:
            shutil.rmtree(left, ignore_errors=True)
    own = base / f"{PREFIX}{leader()}-{start_time(leader())}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.stat().st_uid != os.getuid():
        raise RuntimeError(f"{own} belongs to another user: set STATE_DIR to a directory of your own")
    return own


def start_time(pid: int) -> str | None:
    """Something that tells a process from a later one of the same id; None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "0"
