"""How automation runs other commands: of the same environment, with one clear message when one fails."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from stages.forecasting.errors import UserError
from stages.redaction import redact


def run(*command: str, remedy: str = "") -> None:
    """Run a command whose output the user sees; a UserError when it fails, which `remedy` ends."""
    status = watched(*command).status
    if status:
        raise UserError(redact(f"{' '.join(command)} failed with status {status}") + (f": {remedy}" if remedy else ""))


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it said."""

    status: int
    said: str


def watched(*command: str) -> Done:
    """Run a command whose output the user sees and the caller reads, without secrets."""
    print(redact(f"$ {' '.join(command)}"), flush=True)
    with subprocess.Popen(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        lines = []
        for line in map(redact, process.stdout):
            print(line, end="", flush=True)
            lines.append(line)
    return Done(process.returncode, "".join(lines))


def output(*command: str) -> str:
    """What a command prints, without its last line break; a UserError with its own last words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserError(redact(f"{' '.join(command)} failed: {said[-1] if said else f'status {done.returncode}'}"))
    return done.stdout.rstrip("\n")


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a Python module of this environment."""
    return sys.executable, "-m", name, *arguments
