"""Computed models on disk: made by api.precompute.build in a process of its own, kept while they may be served."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from demand.schema.errors import UserError
from workspace.run.files import read_json
from workspace.secrets.redaction import redact

CODE = Path(__file__).absolute().parents[2]
KEEP = 2  # computed models kept on disk; those still mapped live on in memory


def compute(project: Path, into: Path, timeout: float, polite: bool) -> Path:
    """Run api.precompute.build on a working tree; its one line of error is the message of what is raised.

    `polite`: with low priority, as requests are being answered meanwhile.
    """
    command = [*(["nice", "-n", "15"] if polite else []), sys.executable, "-m", "api.precompute.build", str(into.resolve())]
    run = subprocess.run(command, cwd=project.resolve(), timeout=timeout, env={**os.environ, "PYTHONPATH": str(CODE)},
                         capture_output=True, text=True, check=False)
    if run.returncode:
        output = redact(run.stderr.strip())
        message = output.removeprefix("error: ") if output.startswith("error: ") else output[-400:]
        raise RuntimeError(message or f"the computation ended with {run.returncode}")
    return Path(run.stdout.strip().splitlines()[-1])


def read_text(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def signature(project: Path) -> tuple[Any, ...]:
    """Changes when a file that a model is computed from does."""
    names = ["models/champion.json", "models/model.pkl", "metrics/train.json", "metrics/evaluate.json",
             "data/processed/feature_data.parquet"]
    try:
        names.append(str(read_json(project / names[0], "restore it").get("model")))
    except (UserError, AttributeError):
        pass
    return tuple(stamp(project / name) for name in names)


def stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def prune(builds: Path, current: str) -> None:
    """Remove all but the newest computed models, and what a killed computation left."""
    others = sorted((path for path in builds.iterdir() if path.name != current), key=lambda path: path.stat().st_mtime)
    for path in others[: max(len(others) - KEEP + 1, 0)]:
        shutil.rmtree(path, ignore_errors=True)
