"""A working tree to be tortured: this repository's files on sales of a few series, and its commands in processes of their own."""

from __future__ import annotations

import os
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).absolute().parents[2]
COPIED = ("demand", "workspace", "stages", "requirements-model.txt", "dvc.yaml", "params.yaml", ".dvc", ".dvcignore",
          ".gitignore", "reports", "logs", "data", ":!data/demo")
STAGES = ("params", "prepare", "features", "drift", "window", "train", "evaluate", "compare", "forecast")
FIRST, DAYS, FUTURE = np.datetime64("2023-01-01"), 430, 20
QUICK: dict[str, dict[str, Any]] = {
    "forecast": {"horizon": 14}, "evaluate": {"origins": 2, "step_days": 30}, "train": {"n_estimators": 15, "rows": 4000},
    "data": {"source": "data/sales.csv", "known_future": ["promo"]}}
EVIDENTLY = {  # a stand-in: the real one takes seconds to import, and decides nothing
    "__init__.py": "class Report:\n    def __init__(self, metrics): pass\n    def run(self, current, reference): return self\n"
                   "    def dict(self): return {'metrics': [{'config': {'column': 'sales', 'method': 'x'}, 'value': 0.0}]}\n"
                   "    def get_html_str(self, as_iframe): return '<html><body></body></html>'\n",
    "presets.py": "def DataDriftPreset(**settings): return None\n"}
SECONDS = 120  # until a command counts as hanging
QUIET = {"OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1", "GIT_TERMINAL_PROMPT": "0", "PYTHONDONTWRITEBYTECODE": "1",
         "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def sales_rows() -> list[str]:
    """Lines of a CSV below its header: two stores with three items each, promotions planned for FUTURE days more."""
    rng = np.random.default_rng(0)
    dates, lines = FIRST + np.arange(DAYS + FUTURE), []
    for store in (1, 2):
        for item in (1, 2, 3):
            promo = rng.random(len(dates)) < 0.2
            week = 1 + 0.3 * (np.arange(len(dates)) % 7 >= 5)
            units = rng.poisson(12 * store * item**0.5 * week * (1 + 0.8 * promo)).astype(str)
            units[DAYS:] = ""
            lines += [f"{day},{store},{item},{sold},{int(on)}" for day, sold, on in zip(dates, units, promo, strict=True)]
    return lines


def set_params(tree: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Change values of params.yaml: {section: {key: value}}."""
    path = tree / "params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section, values in changes.items():
        content[section] |= values
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def make_tree(tree: Path, copied: Sequence[str] = COPIED) -> Path:
    """The files, sales, and a pointer that names no champion; in Git and DVC."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *copied], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    for name, content in EVIDENTLY.items():
        (tree / "evidently").mkdir(exist_ok=True)
        (tree / "evidently" / name).write_text(content)
    (tree / "models").mkdir()
    (tree / "models/champion.json").write_text('{"version": null}\n')
    shutil.copy(ROOT / "models/.gitignore", tree / "models/.gitignore")
    (tree / "data/sales.csv").write_text("\n".join(["date,store,item,sales,promo", *sales_rows()]) + "\n")
    set_params(tree, QUICK)
    for command in ("init -q -b main", "config user.name someone", "config user.email someone@example.org"):
        subprocess.run(["git", *command.split()], cwd=tree, check=True)
    return tree


def make_outputs(tree: Path) -> None:
    """Run every stage once, and promote the candidate."""
    for name in (*STAGES, "promote"):
        ended = fork_module(tree, f"stages.{name}")
        if ended.code != 0:
            raise RuntimeError(f"{name}: {ended.printed or 'it hangs'}")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, negative for a signal, None where it hung; and all that it printed."""

    code: int | None
    printed: str


def environment(tree: Path, changes: dict[str, str] | None = None) -> dict[str, str]:
    """What a command in the tree finds: nothing of the user's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "AWS_", "HF_", "DAGSHUB_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return kept | QUIET | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tree)} | (changes or {})


def run_module(tree: Path, name: str, *arguments: str, **changes: str) -> Ended:
    """`python -m NAME ARGUMENTS` in the tree."""
    try:
        done = subprocess.run([sys.executable, "-m", name, *arguments], cwd=tree, env=environment(tree, changes), text=True,
                              errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return Ended(None, "")
    return Ended(done.returncode, done.stdout)


def fork_module(tree: Path, name: str, *arguments: str, limits: Mapping[int, int] | None = None, **changes: str) -> Ended:
    """The same in a fork of this process, which saves the imports.

    Args:
        limits: of resources, by their number: resource.RLIMIT_FSIZE and the like.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            code = in_child(tree, name, arguments, limits or {}, changes, writing)
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as printed:
        text = printed.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return Ended(None if code == -signal.SIGALRM else code, text)


def in_child(tree: Path, name: str, arguments: tuple[str, ...], limits: Mapping[int, int], changes: dict[str, str],
             printed: int) -> int:
    """Become that command; its exit code."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.chdir(tree)
    sys.dont_write_bytecode = True  # a full disk would leave half of it beside the code
    sys.path.insert(0, str(tree))
    os.environ.update(environment(tree, changes))
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    signal.alarm(SECONDS)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    sys.argv = [name, *arguments]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
