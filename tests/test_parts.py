"""What is skipped: few reasons, each with its number, and nothing where it is forbidden."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.support.examples import ROOT
from tests.support.parts import PARTS, required


def containers(**environment: str) -> subprocess.CompletedProcess[str]:
    """A run of the tests that need Docker, where none can be found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REQUIRED_PARTS", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/stack"]
    return subprocess.run(command, cwd=ROOT, env=kept | {"PATH": ""} | environment, capture_output=True, text=True, check=False)


def test_a_reason_to_skip_is_given_once_with_its_number() -> None:
    done = containers()
    assert done.returncode == 0, done.stderr
    listed = re.findall(r"^SKIPPED \[(\d+)\] .*?: (\w+): ", done.stdout, re.MULTILINE)
    assert [part for _, part in listed] == ["Docker"]
    assert re.search(rf"^{listed[0][0]} skipped", done.stdout, re.MULTILINE)


def test_a_required_part_that_is_missing_fails() -> None:
    done = containers(REQUIRED_PARTS="Docker")
    assert done.returncode == 1, done.stderr
    assert re.search("^FAILED .*Docker: ", done.stdout, re.MULTILINE) or "Failed: Docker: " in done.stdout
    assert "skipped" not in done.stdout


def test_parts_are_required_by_name_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in {"": set(), "Docker": {"Docker"}, "data Chromium": {"data", "Chromium"}, "all": set(PARTS)}.items():
        monkeypatch.setenv("REQUIRED_PARTS", value)
        assert {part for part in PARTS if required(part)} == expected


def test_no_test_has_a_reason_of_its_own() -> None:
    assert len(PARTS) <= 5
    own = re.compile(r"pytest\.skip|skipif|mark\.skip|importorskip|unittest\.skip")
    files = subprocess.run(["git", "ls-files", "tests/*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    where = {file for file in files if own.search((ROOT / file).read_text())}
    assert where <= {"tests/conftest.py", "tests/test_parts.py"}
