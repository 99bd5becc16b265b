"""The record of every change of champion and of every deployment: metrics/retrain_history.csv and logs/retrain_logs.log."""

from __future__ import annotations

import csv
import os

from demand.champion.champion_record import METRIC, Champion
from demand.champion.history_rows import HISTORY, history_row, log_line
from demand.schema.errors import UserError
from workspace.registry.store import STORED, stored_facts
from workspace.run import paths
from workspace.run.files import file_text, whole_file
from workspace.secrets.redaction import redact


def read_history() -> list[dict[str, str]]:
    """The rows of metrics/retrain_history.csv, oldest first."""
    path = paths.RETRAIN_HISTORY
    if not os.path.lexists(path):
        return []
    remedy = f"restore it with git checkout -- {path}"
    lines = file_text(path, remedy).splitlines(keepends=True)
    try:
        rows = list(csv.DictReader(lines, strict=True))
    except csv.Error as error:
        raise UserError(f"{path} is no CSV ({error}): {remedy}") from None
    wrong = [number for number, row in enumerate(rows, 2) if any(row.get(name) is None for name in ("at", "action", "version"))]
    if wrong or (lines and not rows and "version" not in lines[0]):
        raise UserError(f"{path} is damaged in row {wrong[0] if wrong else 1}: {remedy}")
    return rows


def record_change(champion: Champion) -> None:
    """Add the change of champion to the history and the log, where it is not in them yet."""
    path = paths.VERSIONS / champion.version / STORED
    facts = stored_facts(path) if os.path.lexists(path) else {}
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
    known = file_text(paths.RETRAIN_LOG, "remove it") if os.path.lexists(paths.RETRAIN_LOG) else ""
    if line not in known:
        with whole_file(paths.RETRAIN_LOG) as part:
            part.write_text(known + line, encoding="utf-8")
