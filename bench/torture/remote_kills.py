"""Kills of the two commands that talk to others: recording (a Git and a DVC remote), deploying (a stand-in for the Hub)."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.torture.kills import pointer_problem
from bench.torture.tree import COPIED, ROOT, environment, make_outputs, make_tree

AFTER = ["Sales through 2025-01-02: keep", "first"]  # the commits of a record that is done
SPACE = "shop/demand"
HUB = ROOT / "tests/support/hub.py"  # the tests' own stand-in, which starts what was uploaded
DEPLOYED = ("api", "automation", "Dockerfile", ".dockerignore", "requirements-api.lock", "requirements-sbom.lock")


def run(place: Path, *command: str) -> str:
    """What a command prints that must end well."""
    done = subprocess.run(command, cwd=place, env=environment(place), text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


@dataclass
class Record:
    """`push_results` of a new day of data: to a DVC remote, as one commit, to a Git remote."""

    folder: Path
    name: str = "record"
    commands: tuple[tuple[str, ...], ...] = (("automation.push_results",),)

    def __post_init__(self) -> None:
        self.place, self.template = self.folder / "record/clone", self.folder / "record-template"
        clone = self.template / "clone"
        (clone / "reports").mkdir(parents=True)
        (clone / "data").mkdir()
        for command in ("git init -q -b main", "git config user.name someone", "git config user.email someone@example.org",
                        "dvc init -q", "dvc remote add -q -d store ../store"):
            run(clone, *command.split())
        self.change(clone, 1)
        for command in ("git add --all", "git commit -q -m first", "git init -q --bare -b main ../origin.git",
                        "git remote add origin ../origin.git", "dvc push -q", "git push -q --set-upstream origin main"):
            run(clone, *command.split())
        self.change(clone, 2)

    def change(self, clone: Path, day: int) -> None:
        (clone / "data/sales.csv").write_text(f"day {day}\n" * 1000)
        run(clone, "dvc", "add", "-q", "data/sales.csv")
        summary = {"as_of": f"2025-01-0{day}", "retrain": False, "reasons": ["errors are normal"]}
        (clone / "reports/drift_summary.json").write_text(json.dumps(summary))

    def restore(self, round_number: int) -> None:  # noqa: ARG002
        shutil.rmtree(self.place.parent, ignore_errors=True)
        shutil.copytree(self.template, self.place.parent, symlinks=True)

    def unsound(self) -> str:
        """No commit that was pushed names data that nobody can get."""
        commits = run(self.place.parent / "origin.git", "git", "log", "--format=%s").splitlines()
        return f"origin has {commits}" if commits not in (["first"], AFTER) else self.lost() if len(commits) == 2 else ""

    def lost(self) -> str:
        """Whether a fresh clone gets the data."""
        fresh = self.place.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        run(self.place.parent, "git", "clone", "-q", "origin.git", "fresh")
        try:
            run(fresh, sys.executable, "-m", "dvc", "pull", "-q")
        except RuntimeError as error:
            return str(error)
        return "" if "day 2" in (fresh / "data/sales.csv").read_text() else "the data are not those of the commit"

    def unrepaired(self) -> str:
        left = run(self.place, "git", "status", "--porcelain")
        pushed = run(self.place.parent / "origin.git", "git", "log", "--format=%s").splitlines()
        run(self.place.parent / "origin.git", "git", "fsck", "--strict")
        return f"left: {left}" if left else f"pushed: {pushed}" if pushed != AFTER else self.lost()


def stand_in() -> ModuleType:
    """The module of the tests that plays the Hub."""
    spec = importlib.util.spec_from_file_location("hub", HUB)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{HUB} is missing")
    module = sys.modules["hub"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Deploy:
    """`deploy_space` of a champion to a Space that is new each time."""

    folder: Path
    name: str = "deploy"

    def __post_init__(self) -> None:
        self.place = make_tree(self.folder / "deploy", (*COPIED, *DEPLOYED))
        make_outputs(self.place)
        self.stack, self.module = contextlib.ExitStack(), stand_in()
        self.hub: Any = None
        self.version = json.loads((self.place / "models/champion.json").read_bytes())["version"]

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        result = str(self.hub.root / "result.json")
        return (("automation.deploy_space", "--space", SPACE, "--timeout", "120", "--result", result),)

    @property
    def variables(self) -> dict[str, str]:
        return {"HF_ENDPOINT": self.hub.url, "HF_TOKEN": self.module.WRITE, "HF_HOME": str(self.hub.root),
                "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

    def restore(self, round_number: int) -> None:
        self.stack.close()
        root = self.folder / "hub" / str(round_number)
        root.mkdir(parents=True)
        self.hub = self.stack.enter_context(self.module.Hub.started(root))

    def close(self) -> None:
        self.stack.close()

    def unsound(self) -> str:
        """The Space has nothing of it, or all of it in one commit; the pointer here is as it was."""
        repo = self.hub.repos.get(SPACE)
        titles = [commit.title for commit in repo.commits] if repo else []
        right = titles in ([], ["initial commit"], ["initial commit", f"Deploy {self.version}"])
        return pointer_problem(self.place) or ("" if right else f"commits {titles}")

    def unrepaired(self) -> str:
        result = json.loads((self.hub.root / "result.json").read_bytes())
        repo = self.hub.repos[SPACE]
        good = [tag for tag, commit in repo.tags.items() if commit == repo.head.id]
        return "" if result["status"] in ("deployed", "unchanged") and repo.running == repo.head.id and good else str(result)
