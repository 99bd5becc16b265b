"""Clears the lock files that a killed Git leaves behind: .git/index.lock, HEAD.lock, those of branches. No commit passes them."""

from __future__ import annotations

from pathlib import Path

from automation.support import shell
from demand.schema.errors import UserError


def clear() -> None:
    """Remove them where no Git runs in this repository; a UserError where one does."""
    folders = {Path(line) for line in shell.output("git", "rev-parse", "--git-dir", "--git-common-dir").splitlines()}
    locks = sorted(lock for folder in folders for pattern in ("*.lock", "refs/**/*.lock") for lock in folder.glob(pattern))
    if not locks:
        return
    place = Path(shell.output("git", "rev-parse", "--show-toplevel")).resolve()
    if processes := running(place):
        raise UserError(f"{locks[0]} is held, and Git is running here (process {', '.join(map(str, processes))}): wait for it to "
                        "end, and run this again")
    for lock in locks:
        lock.unlink(missing_ok=True)
        print(f"removed {lock}, which a killed Git had left", flush=True)


def running(place: Path) -> list[int]:
    """Processes of Git that work below a folder."""
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "name", "cwd"]):
        where = process.info["cwd"]
        if (process.info["name"] or "").startswith("git") and where and Path(where).resolve().is_relative_to(place):
            found.append(process.info["pid"])
    return found
