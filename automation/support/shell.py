"""How automation runs other commands: of the same environment, with one clear message when one fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from demand.schema.errors import UserError
from workspace.run import dvc_lock
from workspace.secrets.redaction import redact


def run(*command: str, remedy: str = "") -> None:
    """Run a command whose output the user sees; a UserError when it fails, which `remedy` ends."""
    status = watched(*command).status
    if status:
        raise UserError(redact(f"{' '.join(command)} failed with status {status}") + (f": {remedy}" if remedy else ""))


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it printed."""

    status: int
    output: str


def watched(*command: str, environment: Mapping[str, str] | None = None) -> Done:
    """Run a command whose output the user sees and the caller reads, without secrets."""
    print(redact(f"$ {' '.join(command)}"), flush=True)
    settings = os.environ | (environment or {})
    with subprocess.Popen(command, env=settings, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        lines = []
        for line in map(redact, process.stdout):
            print(line, end="", flush=True)
            lines.append(line)
    return Done(process.returncode, "".join(lines))


def output(*command: str) -> str:
    """What a command prints, without its last line break; a UserError with its own last words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserError(redact(f"{' '.join(command)} failed: {errors[-1] if errors else f'status {done.returncode}'}"))
    return done.stdout.rstrip("\n")


def quietly(*command: str) -> bool:
    """Whether a command ends well; what it prints is dropped, and Git asks for no password."""
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a Python module of this environment."""
    return sys.executable, "-m", name, *arguments


def dvc(*arguments: str) -> tuple[str, ...]:
    """The command that runs DVC, after what a killed one may have left is repaired."""
    dvc_lock.clear()
    return module("dvc", *arguments)
