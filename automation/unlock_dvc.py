"""Repairs what a killed DVC has left, and what stops the next one: python -m automation.unlock_dvc

DVC lists the paths that it works on in .dvc/tmp/rwlock, and rewrites that file in place. A kill at that moment leaves it empty or
cut off, and every later `dvc` command fails: "Unable to read RWLock-file". A kill at another moment leaves locks of a dead
process there, and where that process is still listed, or another one has its number since, DVC waits for it: "… is busy, it is
being blocked by". This command removes a damaged file and the locks of dead processes, but nothing of a running DVC: it holds
both of DVC's own locks meanwhile, and looks for processes that run DVC in this project. A dvc.lock that is half written becomes
what Git has of it; without that it is removed, and the pipeline begins anew. A folder of the cache of runs without a run, with
which `dvc repro` fails as well, is removed. `make repro`, automation and promotions do this before DVC.
"""

from __future__ import annotations

from workspace.run.command import run_command
from workspace.run.dvc_lock import clear


def main() -> None:
    clear()


if __name__ == "__main__":
    run_command(main)
