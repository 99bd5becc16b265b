"""What several test files share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import parts
from tests.support.examples import ROOT
from tests.support.pipelines import Project
from workspace.secrets import redaction


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """An empty working directory with the repository's params.yaml; call it with dotted keys to change values."""
    monkeypatch.chdir(tmp_path)

    def write(changes: dict[str, Any] | None = None) -> Path:
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        for path, value in (changes or {}).items():
            *sections, key = path.split(".")
            place = params
            for section in sections:
                place = place[section]
            place[key] = value
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        return tmp_path

    write()
    return write


@pytest.fixture(scope="session")
def bootstrapped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository on tiny data after its first `dvc repro`: copy it, do not change it."""
    project = Project.make(tmp_path_factory.mktemp("bootstrapped"))
    assert project.repro() == ["params", "prepare", "features", "drift", "window", "train", "evaluate", "compare", "forecast"]
    return project


@pytest.fixture(autouse=True)
def _no_learned_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test uses as a secret is an ordinary word in the next."""
    monkeypatch.setattr(redaction, "_learned", set())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole pipelines run last: most mistakes show in the first seconds."""
    items.sort(key=lambda item: "slow" in item.keywords)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a part that is not here; fail instead where the part is required."""
    for mark in item.iter_markers("needs"):
        if reason := parts.missing(mark.args[0]):
            (pytest.fail if parts.required(mark.args[0]) else pytest.skip)(reason)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With REQUIRED_PARTS=all no skip passes, whatever its cause."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("REQUIRED_PARTS") == "all" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
