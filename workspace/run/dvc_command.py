"""DVC, run as a command of the same environment."""

from __future__ import annotations

import subprocess
import sys

from workspace.run import dvc_lock


def run_dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC, of the same environment, after what a killed one may have left is repaired."""
    dvc_lock.clear()
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, errors="replace",
                          check=False)


def last_error(runs: list[subprocess.CompletedProcess[str]]) -> str:
    """DVC's last message of an error, on one line; its last words or its status where it gave none."""
    lines = [line.strip() for run in runs for line in run.stderr.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.startswith("ERROR")]
    if errors:
        return " ".join(lines[errors[-1]:]).rstrip(".")
    return lines[-1] if lines else f"it ended with status {runs[-1].returncode} and without a message"
