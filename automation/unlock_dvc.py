"""Clears the lock file that a killed DVC has left damaged: python -m automation.unlock_dvc

DVC lists the paths that it works on in .dvc/tmp/rwlock, and rewrites that file in place. A kill at that moment leaves it empty or
cut off, and every later `dvc` command fails: "Unable to read RWLock-file". This command removes such a file, but never under a
running DVC: it holds both of DVC's own locks meanwhile, and looks for processes that run DVC in this project. A sound file stays:
DVC itself drops the entries of dead processes. `make repro`, automation and promotions do
this before DVC.
"""

from __future__ import annotations

from workspace.run.command import run_command
from workspace.run.dvc_lock import clear


def main() -> None:
    clear()


if __name__ == "__main__":
    run_command(main)
