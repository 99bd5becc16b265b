"""Commands killed at random moments, with all that they started: what is left is sound, and running them again repairs it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

from bench.torture.tree import Ended, environment, fork_module, make_outputs, make_tree, set_params

POINTER = Path("models/champion.json")
CLEAR = ("automation.unlock_dvc",)  # what `make repro` runs before DVC


class Target(Protocol):
    """A command that is killed again and again, in a state that `restore` makes anew."""

    name: str
    place: Path

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """What a user runs, one after another; the last is killed."""

    def restore(self, round_number: int) -> None: ...

    def unsound(self) -> str:
        """What is wrong after a kill, empty where nothing is."""

    def unrepaired(self) -> str:
        """What is wrong after the command has been run again."""


@dataclass
class Tally:
    """Kills of one command: how many of them met it running, and what was wrong afterwards."""

    name: str
    kills: int = 0
    seconds: float = 0.0  # of an undisturbed run
    wrong: list[str] = field(default_factory=list)


def start(target: Target, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *command], cwd=target.place, env=environment(target.place) | variables(target),
                            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def variables(target: Target) -> dict[str, str]:
    return dict(getattr(target, "variables", {}))


def run_whole(target: Target) -> Ended:
    """The commands to their end, or to the first that fails."""
    printed = ""
    for command in target.commands:
        process = start(target, command)
        said, _ = process.communicate()
        printed += said.decode(errors="replace")
        if process.returncode:
            return Ended(process.returncode, printed)
    return Ended(0, printed)


def killed_after(target: Target, seconds: float) -> bool:
    """Start the last command and kill it, with all that it has started; False if it had ended by itself."""
    process = start(target, target.commands[-1])
    try:
        process.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True


def torture(target: Target, kills: int, until: float, seed: int = 0) -> Tally:
    """Kill the command so often, or as often as the time allows.

    Args:
        until: by time.monotonic(), after which no more kill is begun.
    """
    rng, tally = random.Random(seed), Tally(target.name)
    target.restore(0)
    began = time.monotonic()
    ended = run_whole(target)
    tally.seconds = time.monotonic() - began
    if ended.code or (problem := target.unrepaired()):
        return Tally(target.name, wrong=[f"undisturbed: {ended.printed[-500:] if ended.code else problem}"])
    number = 0
    while tally.kills < kills and time.monotonic() < until:
        number += 1
        target.restore(number)
        moment = rng.uniform(0, tally.seconds)
        if not killed_after(target, moment):
            continue
        tally.kills += 1
        problem = target.unsound()
        again = run_whole(target)
        problem = problem or (again.printed[-800:] if again.code else target.unrepaired())
        if problem:
            tally.wrong.append(f"killed after {moment:.2f} s: {problem}")
    return tally


def pointer_problem(tree: Path) -> str:
    """What is wrong with the champion's pointer: it names nothing, or a version that is there whole."""
    try:
        content = json.loads((tree / POINTER).read_bytes())
        if content == {"version": None}:
            return ""
        model = (tree / content["model"]).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        return f"the pointer: {error!r}"
    return "" if hashlib.sha256(model).hexdigest() == content["sha256"] else "the pointer names another model than is there"


def parts(tree: Path) -> list[str]:
    return [str(path) for path in tree.rglob("*.part") if ".dvc" not in path.parts]


@dataclass
class Repro:
    """`make repro` between two days of the data, half of the time with DVC's run cache: then DVC itself does most of the work."""

    folder: Path
    name: str = "repro"
    days: tuple[str, str] = ("2024-02-20", "2024-03-05")
    expected: list[object] = field(default_factory=list)
    day: int = 0
    cached: bool = True

    def __post_init__(self) -> None:
        self.place = make_tree(self.folder / "repro")
        for self.day in (0, 1):
            self.restore(2 * self.day)
            ended = run_whole(self)
            if ended.code:
                raise RuntimeError(ended.printed)
            if self.day == 0:
                promoted = fork_module(self.place, "stages.promote")
                if promoted.code or run_whole(self).code:
                    raise RuntimeError(promoted.printed)
            self.expected.append(self.lock())

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return CLEAR, ("dvc", "repro", *(() if self.cached else ("--no-run-cache",)))

    def lock(self) -> object:
        return yaml.safe_load((self.place / "dvc.lock").read_bytes())

    def restore(self, round_number: int) -> None:
        self.day, self.cached = round_number // 2 % 2 if round_number < 3 else round_number % 2, round_number % 4 < 2
        set_params(self.place, {"data": {"as_of": self.days[self.day]}})

    def unsound(self) -> str:
        return pointer_problem(self.place)

    def unrepaired(self) -> str:
        """The outputs must be those of an undisturbed run, to the byte."""
        if self.lock() != self.expected[self.day]:
            return "dvc.lock is not that of an undisturbed run"
        status = subprocess.run([sys.executable, "-m", "dvc", "status"], cwd=self.place, env=environment(self.place), text=True,
                                capture_output=True, check=False).stdout
        return pointer_problem(self.place) or (f"left: {parts(self.place)}" if parts(self.place) else
                                               "" if "up to date" in status else f"dvc status: {status}")


@dataclass
class Promote:
    """A promotion beside a champion; each begins in the same state."""

    folder: Path
    name: str = "promote"
    commands: tuple[tuple[str, ...], ...] = (("stages.promote", "--force", "--reason", "torture"),)

    def __post_init__(self) -> None:
        self.template, self.place = make_tree(self.folder / "promote-template"), self.folder / "promote"
        make_outputs(self.template)
        self.first = json.loads((self.template / POINTER).read_bytes())["version"]
        set_params(self.template, {"train": {"n_estimators": 12}})
        for stage in ("train", "evaluate", "compare"):
            ended = fork_module(self.template, f"stages.{stage}")
            if ended.code:
                raise RuntimeError(ended.printed)

    def restore(self, round_number: int) -> None:  # noqa: ARG002
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.template, self.place, symlinks=True)

    def unsound(self) -> str:
        return pointer_problem(self.place)

    def unrepaired(self) -> str:
        """The candidate is champion, once, and nothing lies about."""
        content = json.loads((self.place / POINTER).read_bytes())
        versions = sorted(path.name for path in (self.place / "models/versions").iterdir())
        rows = (self.place / "metrics/retrain_history.csv").read_text().splitlines()
        candidate = (self.place / "models/model.pkl").read_bytes()
        found = {
            "the candidate is not champion": content["sha256"] != hashlib.sha256(candidate).hexdigest(),
            f"versions {versions}": versions != [self.first, content["version"]], f"{len(rows)} rows of history": len(rows) != 3,
            f"left: {parts(self.place)}": bool(parts(self.place)),
            "models/model_latest.pkl is another model": (self.place / "models/model_latest.pkl").read_bytes() != candidate}
        return pointer_problem(self.place) or "; ".join(name for name, wrong in found.items() if wrong)
