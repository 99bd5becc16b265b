"""After a deployment: the history gets its result, and where the Space went back to its last good model, so does the pointer.

    python -m automation.settle FILE      (the result that python -m automation.deploy --result FILE wrote)

The pointer then names what serves, and what follows from it is made again: the next check judges the model that serves.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation import github, remote
from stages import champion, entry, paths, promote
from stages.forecasting import versions
from stages.forecasting.errors import UserError
from stages.redaction import redact


def settle(result: dict[str, Any]) -> str:
    """Add the result to the history; after a rollback of the Space roll the pointer back. What was done, in words."""
    current, reason = champion.read(), redact(result["reason"])
    if result["version"] is None:
        raise UserError(f"nothing was deployed: {reason}")
    if current is None or result["version"] != current.version:
        raise UserError(f"the deployment was of version {result['version']}, the champion is {current and current.version}: "
                        "deploy again")
    with promote.alone():
        at = datetime.now(UTC).strftime(versions.TIME_FORMAT)
        row = "; ".join(filter(None, [f"{result['space']} at {result['revision']}", reason]))
        as_of = champion.read_json(paths.DRIFT_SUMMARY, "run dvc repro first")["as_of"]
        champion.add(versions.deployment_row(current, at, promote.who(), result["status"], row, as_of))
        if result["status"] == "rolled_back" and current.previous:
            said = promote.rollback(None, f"its deployment failed: {reason}")
            remote.repro()
            return f"{result['status']}: {reason}; {said}"
    return f"{result['status']}: {reason}" if reason else str(result["status"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m automation.settle", description="The history after a deployment.")
    parser.add_argument("result", type=Path, help="the file that automation.deploy --result wrote")
    given = parser.parse_args()
    said = settle(champion.read_json(given.result, "deploy first: python -m automation.deploy --result FILE"))
    github.outputs(deployed=said)


if __name__ == "__main__":
    entry.run(main)
