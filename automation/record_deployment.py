"""After a deployment: the history gets its result, and where the Space went back to its last good model, so does the pointer.

    python -m automation.record_deployment FILE      (the result that python -m automation.deploy_space --result FILE wrote)

The pointer then names what serves, and what follows from it is made again: the next check judges the model that serves.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation import dvc_remote
from automation.support import github
from demand.champion.champion_record import TIME_FORMAT
from demand.champion.history_rows import deployment_row
from demand.schema.errors import UserError
from workspace.registry.challenger import current_user
from workspace.registry.drift_check import read_drift_summary
from workspace.registry.history import add_row
from workspace.registry.promotion import promotion_lock, rollback
from workspace.registry.store import read_champion
from workspace.run.command import run_command
from workspace.run.files import read_json
from workspace.secrets.redaction import redact


def settle(result: dict[str, Any]) -> str:
    """Add the result to the history; after a rollback of the Space roll the pointer back. What was done, in words."""
    current, reason = read_champion(), redact(result["reason"])
    if result["version"] is None:
        raise UserError(f"nothing was deployed: {reason}")
    if current is None or result["version"] != current.version:
        raise UserError(f"the deployment was of version {result['version']}, the champion is {current and current.version}: "
                        "deploy again")
    with promotion_lock():
        at = datetime.now(UTC).strftime(TIME_FORMAT)
        details = "; ".join(filter(None, [f"{result['space']} at {result['revision']}", reason]))
        as_of = str(read_drift_summary().as_of)
        add_row(deployment_row(current, at, current_user(), result["status"], details, as_of))
        if result["status"] == "rolled_back" and current.previous:
            message = rollback(None, f"its deployment failed: {reason}")
            dvc_remote.repro()
            return f"{result['status']}: {reason}; {message}"
    return f"{result['status']}: {reason}" if reason else str(result["status"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.record_deployment", description="The history after a deployment.")
    parser.add_argument("result", type=Path, help="the file that automation.deploy_space --result wrote")
    given = parser.parse_args()
    message = settle(read_json(given.result, "deploy first: python -m automation.deploy_space --result FILE"))
    github.outputs(deployed=message)


if __name__ == "__main__":
    run_command(main)
