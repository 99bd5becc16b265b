"""DVC, run as a command of the same environment."""

from __future__ import annotations

import subprocess
import sys

from workspace.run import dvc_lock


def run_dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC, of the same environment, after the lock that a killed one may have left damaged is cleared."""
    dvc_lock.clear()
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)


def last_error(runs: list[subprocess.CompletedProcess[str]]) -> str:
    lines = [line.strip() for run in runs for line in run.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "no message"
