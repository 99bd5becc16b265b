"""The champion on disk: its pointer, its model file, and the record of every change.

models/champion.json is the only place where production feeds back into the pipeline. It is replaced in one step, after everything
it names is in place, and it holds all that the history and the log say: whatever a killed promotion left out of them is made up
for by the next one.
"""

from __future__ import annotations

import subprocess
import sys


def run_dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC, of the same environment."""
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)


def last_error(said: list[subprocess.CompletedProcess[str]]) -> str:
    lines = [line.strip() for run in said for line in run.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "no message"
