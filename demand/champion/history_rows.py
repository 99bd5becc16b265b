"""Changes of champion and deployments as rows of metrics/retrain_history.csv and lines of logs/retrain_logs.log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demand.champion.champion_record import METRIC, TABLED, Champion

HISTORY = ("at", "action", "version", "previous", "trained_from", "trained_through", "smape_before", *TABLED, "by", "reason",
           "result", "as_of", "sha256")


def history_row(champion: Champion, trained_from: str | None, before: float | None) -> dict[str, str]:
    """A change of champion as a row of metrics/retrain_history.csv.

    Args:
        trained_from: first day of its training window.
        before: METRIC of the champion it was compared with, at the origins of its own backtest; None where there was none.
    """
    return champion_columns(champion) | {
        "at": champion.promoted_at, "action": champion.action, "previous": champion.previous or "",
        "trained_from": str(trained_from or ""), "smape_before": format_score({METRIC: before}, METRIC),
        "by": champion.promoted_by, "reason": one_line(champion.reason)}


def deployment_row(champion: Champion, at: str, by: str, result: str, reason: str, as_of: str) -> dict[str, str]:
    """An attempt to deploy a champion as a row of the same file.

    Args:
        result: that of automation/deploy_space.py.
        as_of: newest day of sales that were deployed with it.
    """
    facts = {"at": at, "action": "deploy", "by": by, "reason": one_line(reason), "result": result, "as_of": as_of}
    return champion_columns(champion) | facts


def champion_columns(champion: Champion) -> dict[str, str]:
    """A row of the history with what holds of the champion itself; nothing in the other columns."""
    scores = {name: format_score(champion.baseline, name) for name in TABLED}
    return dict.fromkeys(HISTORY, "") | scores | {
        "version": champion.version, "trained_through": str(champion.trained_through), "sha256": champion.sha256}


def log_line(row: Mapping[str, str]) -> str:
    """A row of the history as a line of logs/retrain_logs.log."""
    window = f"{row['trained_from']}/{row['trained_through']}".removeprefix("/")
    result = f" result={row['result']}" if row["result"] else ""
    return (f"{row['at']} {row['action']} version={row['version']} previous={row['previous'] or '-'} window={window} "
            f"{METRIC}={row[METRIC]} before={row['smape_before'] or '-'}{result} by={row['by']} reason={row['reason']!r}\n")


def one_line(text: str) -> str:
    return " ".join(text.split())


def format_score(scores: Mapping[str, Any], name: str) -> str:
    """A score for the eye, empty where there is none."""
    value = scores.get(name)
    return f"{value:.4f}" if isinstance(value, int | float) else ""
