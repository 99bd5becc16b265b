"""A promotion that is killed at any step leaves a whole champion, and the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages import promote
from tests.support.promotions import candidate, check_tidy, check_whole, empty_registry, run
from workspace.registry.history import read_history
from workspace.registry.store import read_champion, stored_versions


@pytest.fixture(autouse=True)
def work(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_registry(project, monkeypatch)


def killed_at(step: int, *arguments: str) -> bool:
    """Run the command in a child that is killed at its n-th change of a file: before it, or with half of it done.

    Between two changes there is nothing that a kill could spoil. Returns False if the command came to its end.
    """
    child = os.fork()
    if child == 0:
        left = step

        def count() -> None:
            nonlocal left
            left -= 1
            if left == -1:
                os.kill(os.getpid(), signal.SIGKILL)

        def change(event: str, details: tuple[Any, ...]) -> None:
            nonlocal left
            if event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR):
                count()
                if left == 0:
                    left = -1
                    Path(details[0]).write_bytes(b"half")
                    left = 0
                count()
            elif event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "subprocess.Popen"):
                count()

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["promote", *arguments]
        sys.addaudithook(change)
        try:
            promote.main()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("command", ["first", "second", "rollback", "rollback to the previous one"])
def test_killed_at_any_step(work, monkeypatch, tmp_path_factory, command):
    """Afterwards the old champion or the new one is there, whole, and the same command again ends as if nothing had happened."""
    for smape in () if command == "first" else (12.0,) if command == "second" else (12.0, 11.9):
        candidate(smape)
        run(monkeypatch)
    candidate(11.5)
    old = read_champion()
    before = len(read_history()) if old else 0
    given = ["--rollback", stored_versions()[0].version] if command == "rollback" else ["--rollback"] if "roll" in command else []
    template = tmp_path_factory.mktemp("template") / "work"
    shutil.copytree(work, template)
    steps, seen = 0, set()
    while killed_at(steps, *given):
        now = check_whole()
        assert now == old or (now and now.action == ("rollback" if given else "promote"))
        seen.add(now == old)
        run(monkeypatch, "--list")
        run(monkeypatch, *given)
        assert check_whole().baseline["smape"] == (12.0 if given else 11.5)
        check_tidy(before + 1)
        for path in work.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(template, work, dirs_exist_ok=True)
        steps += 1
    assert steps > 8
    assert seen == {True, False}  # killed before the pointer, and after it
