"""Keeps the diary of the drift stage in Git: the lines of logs/drift_logs.log as rows of metrics/drift_history.csv.

The stage adds a line to its log whenever it runs, and a log on a runner of GitHub is lost with it. push_results adds those
lines to the history, in commits that it makes anyway. No stage reads it.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from workspace.run import paths
from workspace.run.files import whole_file

HISTORY = Path("metrics/drift_history.csv")
COLUMNS = ("at", "as_of", "champion", "retrain", "reasons")
LINE = re.compile(r"(?P<at>\S+) as_of=(?P<as_of>\S+) champion=(?P<champion>\S+) retrain=(?P<retrain>\S+) reasons=(?P<reasons>.*)")


def keep() -> None:
    """Add the lines of the log that are not in the history yet."""
    if not paths.DRIFT_LOG.exists():
        return
    lines = paths.DRIFT_LOG.read_text(encoding="utf-8").splitlines()
    rows = recorded()
    added = [row for match in map(LINE.fullmatch, lines) if match and (row := match.groupdict()) not in rows]
    if added:
        with whole_file(HISTORY) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows([*rows, *added])


def recorded() -> list[dict[str, str]]:
    """The rows of metrics/drift_history.csv, oldest first."""
    if not HISTORY.exists():
        return []
    with HISTORY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
