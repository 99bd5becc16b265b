"""The record of every change of champion and of every deployment: metrics/retrain_history.csv and logs/retrain_logs.log."""

from __future__ import annotations

import csv
import json

from demand.champion.champion_record import METRIC, Champion
from demand.champion.history_rows import HISTORY, history_row, log_line
from workspace.registry.store import STORED
from workspace.run import paths
from workspace.run.files import whole_file
from workspace.secrets.redaction import redact


def read_history() -> list[dict[str, str]]:
    """The rows of metrics/retrain_history.csv, oldest first."""
    if not paths.RETRAIN_HISTORY.exists():
        return []
    with paths.RETRAIN_HISTORY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record_change(champion: Champion) -> None:
    """Add the change of champion to the history and the log, where it is not in them yet."""
    path = paths.VERSIONS / champion.version / STORED
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    compared = facts.get("compare", {}).get("champion_scores", {}) if champion.action == "promote" else {}
    add_row(history_row(champion, facts.get("train", {}).get("trained_from"), compared.get(METRIC)))


def add_row(row: dict[str, str]) -> None:
    """Add a row to the history and the log, without secrets: to each, where it is not in it yet."""
    row = {name: redact(value) for name, value in row.items()}
    rows = read_history()
    if (row["at"], row["action"]) not in [(known["at"], known["action"]) for known in rows]:
        with whole_file(paths.RETRAIN_HISTORY) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HISTORY, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows([*rows, row])
    line = log_line(row)
    known = paths.RETRAIN_LOG.read_text(encoding="utf-8") if paths.RETRAIN_LOG.exists() else ""
    if line not in known:
        with whole_file(paths.RETRAIN_LOG) as part:
            part.write_text(known + line, encoding="utf-8")
