"""Deploys the champion to a Hugging Face Docker Space: python -m automation.deploy_space --space OWNER/NAME.

Uploads what the image needs (automation/support/image.py) and automation/space/README.md as one commit, waits until it runs,
and tests it in operation: the right version, the right hash, the forecasts that the champion makes here. Where that fails, one
more commit brings back the files of the last revision that passed. Without changes there is no commit, only the test. Ends with 1
and one message where it fails. The token is HF_TOKEN, or in GitHub Actions that of a trusted publisher of the Space; API_KEY is
for a Space that asks for one.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.support import environment, image
from demand.champion.champion_record import Champion
from demand.schema.errors import UserError
from workspace.registry.store import champion_bytes, read_champion
from workspace.run.command import run_command
from workspace.run.files import write_json
from workspace.secrets.redaction import redact
from workspace.secrets.settings import load_settings

if TYPE_CHECKING:
    from automation.support.hub import Space

README = Path(__file__).parent / "space/README.md"
TIMEOUT = 1800.0  # seconds for build, start and test
GRACE = 1 / 30  # of that: how long the Hub may go on telling of the revision before, and that one go on answering


@dataclass
class Result:
    """What --result holds.

    Attributes:
        revision: at the head of the Space afterwards; None where it was not reached.
        previous_revision: the last one that had passed its test before; None before the first.
        version: of the champion that was to be deployed.
        status: deployed, unchanged (it was there already), rolled_back or failed.
        reason: why not; empty where it went well.
    """

    space: str
    revision: str | None = None
    previous_revision: str | None = None
    version: str | None = None
    status: str = "failed"
    reason: str = ""
    seconds: float = 0.0


def upload(current: Champion) -> dict[str, Path]:
    """Name in the Space: file here."""
    return {"README.md": README} | {path.as_posix(): path for path in image.files(current)}


def listing(files: dict[str, Path]) -> str:
    sizes = {name: path.stat().st_size for name, path in files.items()}
    lines = [f"{size:>12,}  {name}" for name, size in sorted(sizes.items())]
    return "\n".join([*lines, f"{sum(sizes.values()):>12,}  bytes in {len(sizes)} files"])


def promoted() -> Champion:
    current = read_champion()
    if current is None:
        raise UserError("there is no champion to deploy: run dvc repro and python -m stages.promote first")
    return current


def deploy(result: Result, timeout: float) -> None:
    """Bring the champion to the Space; `result` is filled in on the way. Raises UserError where it fails.

    Whatever goes wrong after the upload, an interruption too, the last good revision is brought back.
    """
    from automation.support import smoke_test
    from automation.support.hub import Space

    load_settings(environment.SpaceAccess)
    current = promoted()
    result.version = current.version
    files, space = upload(current), Space(result.space)
    forecasts = smoke_test.expected(current)
    head = space.open()
    result.previous_revision = good = space.last_good()
    result.revision = revision = space.put(files, f"Deploy {current.version}", head)
    print(f"{current.version} is revision {revision[:12]} of {result.space}" + (", as before" if revision == head else ""))
    deadline = time.monotonic() + timeout
    try:
        space.wait(revision, deadline, timeout * GRACE)
        smoke_test.check(space.live(), current, forecasts, deadline, timeout * GRACE)
    except BaseException as error:
        result.reason = reason_of(error)
        raise UserError(f"{result.reason}. {roll_back(space, result, good, timeout)}") from None
    space.mark_good(revision)
    result.status = "unchanged" if revision == head else "deployed"
    print(f"{result.status}: {current.version} serves and forecasts as it does here")


def reason_of(error: BaseException) -> str:
    """Why it failed, in one line without secrets; for the record. The traceback of an unexpected error goes to stderr."""
    text = " ".join(redact(str(error)).split())
    if isinstance(error, UserError):
        return text
    if isinstance(error, Exception):
        print(redact("".join(traceback.format_exception(error))), file=sys.stderr, end="")
    name = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
    return f"{name}: {text}" if text else name


def roll_back(space: Space, result: Result, good: str | None, timeout: float) -> str:
    """Bring back the last good revision's files; says what became of it."""
    from automation.support import smoke_test

    if good is None:
        return "Nothing to roll back to: no revision of this Space has passed its test yet"
    if good == result.revision:
        return "Not rolled back: the files are those that passed their test before"
    deadline = time.monotonic() + timeout
    try:
        result.revision = space.restore(good, f"Roll back to {good[:12]}")
        space.wait(result.revision, deadline, timeout * GRACE)
        version = smoke_test.ready(space.live(), deadline)
    except Exception as error:
        return f"Rolling back to revision {good[:12]} failed as well: {reason_of(error)}"
    result.status = "rolled_back"
    return f"Rolled back: version {version} of revision {good[:12]} serves again"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--space", required=True, metavar="OWNER/NAME", help="the Space; made, private, where it is missing")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help="build, start and test (%(default)g)")
    parser.add_argument("--result", type=Path, metavar="FILE", help="write what happened as JSON")
    parser.add_argument("--dry-run", action="store_true", help="check and list what would be uploaded; no token, no network")
    options = parser.parse_args()
    if options.dry_run:
        current = promoted()
        champion_bytes(current)
        print(f"{listing(upload(current))}\nwould be {current.version} in the Space {options.space}")
        return
    result, start = Result(options.space), time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside it is brought back and recorded as well
    try:
        deploy(result, options.timeout)
    except BaseException as error:
        result.reason = result.reason or reason_of(error)
        raise
    finally:
        result.seconds = round(time.monotonic() - start, 1)
        if options.result:
            write_json(options.result, asdict(result))


if __name__ == "__main__":
    run_command(main)
