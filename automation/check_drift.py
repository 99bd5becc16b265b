"""Is it time to train again? python -m automation.check_drift [--without-remote]

Brings new data (`dvc update` of what was imported), runs the pipeline up to the drift stage, and says what is to be done next:

    remote   whether a DVC remote is configured; without one nothing can be versioned, and only --without-remote goes on
    retrain  whether the drift stage asks for a model
    deploy   whether the champion should be deployed whatever is trained: the Space has another, or its forecasts run out
    reason   why, in one line
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path

import yaml

from automation import dvc_remote
from automation.support import github, shell
from demand.champion.champion_record import Champion
from demand.drift.summary_record import DriftSummary
from workspace.registry.drift_check import read_drift_summary
from workspace.registry.history import read_history
from workspace.registry.store import read_champion
from workspace.run.command import run_command

SETTLED = ("deployed", "unchanged")  # results of a deployment after which the champion serves
AHEAD = 3  # the Space should have at least this part of the horizon before it: a third


def imported() -> list[str]:
    """The .dvc files of data that come from elsewhere (dvc import, dvc import-url) and may have become newer there."""
    found = []
    for path in sorted(Path("data").rglob("*.dvc")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if content.get("frozen") and content.get("deps"):
            found.append(str(path))
    return found


def deployment_due(current: Champion | None, history: list[dict[str, str]], as_of: date) -> str | None:
    """Why the champion should be deployed whatever is trained; None if the Space has what it should have.

    Args:
        history: the rows of metrics/retrain_history.csv, oldest first.
        as_of: newest day of sales that are here.
    """
    if current is None:
        return None
    served = [row for row in history if row["action"] == "deploy" and row["result"] in SETTLED]
    if not served or served[-1]["version"] != current.version:
        return f"version {current.version} has not been deployed"
    ends = date.fromisoformat(served[-1]["as_of"]) + timedelta(days=current.horizon)
    left = (ends - as_of).days
    return f"the forecasts that were deployed end {left} days after the newest sales" if AHEAD * left < current.horizon else None


def report(summary: DriftSummary, due: str | None) -> str:
    """The check for people, in Markdown."""
    lines = [f"### {'A model is due' if summary.retrain else 'No drift: the champion stays'}", "",
             f"Sales through {summary.as_of}, champion {summary.champion or '(none yet)'}"
             + (f", trained through {summary.trained_through}." if summary.trained_through else "."), "",
             *(f"- {reason}" for reason in summary.reasons),
             *(f"- data problem: {problem}" for problem in summary.data_problems)]
    if summary.ended_series:
        lines.append(f"- no sales for a year: {', '.join(summary.ended_series)}")
    return "\n".join([*lines, *([f"- to be deployed: {due}"] if due else [])])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.check_drift", description="Is it time to train again?")
    parser.add_argument("--without-remote", action="store_true", help="check although no DVC remote is configured")
    alone = parser.parse_args().without_remote
    if dvc_remote.default() is None and not alone:
        github.outputs(remote=False, retrain=False, deploy=False, reason="no DVC remote is configured: make remote USER=… REPO=…")
        github.summary("### Not set up\n\nNo DVC remote is configured, so nothing can be versioned: `make remote USER=… REPO=…`.")
        return
    if not alone:
        dvc_remote.check()
    for path in imported():
        shell.run(*shell.dvc("update", path), remedy="the data's source cannot be reached: nothing was changed")
    dvc_remote.repro("drift")
    summary = read_drift_summary()
    due = deployment_due(read_champion(), read_history(), summary.as_of)
    reason = due if due and not summary.retrain else "; ".join(summary.reasons)
    github.summary(report(summary, due))
    github.outputs(remote=not alone, retrain=summary.retrain, deploy=due is not None, reason=reason)


if __name__ == "__main__":
    run_command(main)
