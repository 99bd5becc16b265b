"""What tests need that pip cannot install. A test says so by `@pytest.mark.needs("Chromium")`.

Where the part is missing the test is skipped, and the end of the run gives each reason once, with its number. REQUIRED_PARTS,
names of parts or "all", turns that around: a test whose required part is missing fails, and with "all" so does a run that skips
anything. Docker's tests build an image, so they run only where REQUIRED_PARTS names them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.support.examples import ROOT

REAL = ROOT.parent / "shared/data"  # the competition's files, which may not be published


def required(part: str) -> bool:
    return not {part, "all"}.isdisjoint(os.environ.get("REQUIRED_PARTS", "").split())


def chromium() -> str | None:
    """The browser, by the names that Debian, Ubuntu and Google give it."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def engine() -> bool:
    """Whether a Docker engine and Compose answer, where their tests are asked for."""
    commands = (["docker", "info"], ["docker", "compose", "version"])
    return required("Docker") and shutil.which("docker") is not None and all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands)


def postgres() -> Path | None:
    """PostgreSQL's programs: Debian keeps them out of the PATH."""
    server = shutil.which("initdb")  # a link to it may lie where the server's user cannot go
    return Path(server).resolve().parent if server else max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


PARTS: dict[str, tuple[Callable[[], object], str]] = {
    "Docker": (engine, "make test-full PARTS=Docker runs it; it needs a Docker engine and Compose"),
    "Chromium": (chromium, "no Chromium is installed (Debian: apt install chromium)"),
    "PostgreSQL": (postgres, "no PostgreSQL is installed (Debian: apt install postgresql)"),
    "data": (REAL.exists, "the competition's files are not in ../shared/data"),
}


@cache
def missing(part: str) -> str | None:
    """Why tests that need the part cannot run here, None if they can."""
    found, reason = PARTS[part]
    return None if found() else f"{part}: {reason}"
