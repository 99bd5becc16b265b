"""Makes the candidate the champion, if its backtest allows it. A command, not a stage: python -m stages.promote --help.

Reads models/model.pkl and metrics/{train,evaluate,compare}.json. Stores the version under models/versions/<UTC time>/ (model.pkl,
tracked by DVC, metrics.json, model_card.md), then replaces models/champion.json, then adds to metrics/retrain_history.csv and
logs/retrain_logs.log. Killed at any moment it leaves the old champion or the new one, whole: a version is built in a directory of
another name that the next promotion clears away, and the pointer comes after all it names.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from workspace.registry.promotion import list_versions, promote, promotion_lock, rollback
from workspace.run.command import run_command
from workspace.secrets.redaction import redact


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.promote", description="Make models/model.pkl the champion.")
    parser.add_argument("--force", action="store_true", help="even if its backtest is worse; needs --reason")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--rollback", nargs="?", const="", metavar="VERSION", help="to an earlier version, by default the last")
    action.add_argument("--list", action="store_true", help="show the versions, change nothing")
    given = parser.parse_args()
    given.reason = redact(given.reason)
    if given.force and not given.reason.strip():
        parser.error("--force needs --reason TEXT")
    return given


def main() -> None:
    given = arguments()
    if given.list:
        print(list_versions())
        return
    with promotion_lock() as finished:
        if given.rollback is None:
            print(promote(given.reason, given.force))
        else:
            print(rollback(given.rollback or None, given.reason, finished))
    remote = any(re.search(r"(?m)^\s*remote\s*=", path.read_text(encoding="utf-8")) for path in Path(".dvc").glob("config*"))
    print("Record it: git add models metrics logs && git commit" + (", then: dvc push" if remote else ""))


if __name__ == "__main__":
    run_command(main)
