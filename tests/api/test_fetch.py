"""A model from a Git repository and its DVC remote, as a server away from the working tree fetches it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api.precompute import fetch
from api.settings import Settings
from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.api.conftest import pointer, put_data, put_model

VERSION = "20260102T030405Z"
GIT = ["-c", "user.name=test", "-c", "user.email=test@example.org"]


def run(tree: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def pushed(tree: Path, message: str) -> None:
    """Commit everything, and push what DVC tracks."""
    run(tree, sys.executable, "-m", "dvc", "push")
    run(tree, "git", "add", "--all")
    run(tree, "git", *GIT, "commit", "--quiet", "--message", message)


def settings(url: Path) -> Settings:
    return Settings(_env_file=None, source_git=str(url))


def test_what_was_pushed_is_fetched(tmp_path: Path, panel: Panel, model: DemandModel) -> None:
    tree, state = tmp_path / "tree", tmp_path / "state"
    tree.mkdir()
    state.mkdir()
    run(tree, "git", "init", "--quiet")
    run(tree, sys.executable, "-m", "dvc", "init", "--quiet")
    run(tree, sys.executable, "-m", "dvc", "remote", "add", "--default", "there", str(tmp_path / "remote"))
    put_data(tree, panel)
    put_model(tree, model)
    run(tree, sys.executable, "-m", "dvc", "add", "--quiet", "models/model.pkl", "data/processed/feature_data.parquet")
    pushed(tree, "a candidate")
    first = fetch.working_tree(settings(tree), state)
    assert (first / "models/model.pkl").read_bytes() == (tree / "models/model.pkl").read_bytes()
    assert (first / "data/processed/feature_data.parquet").exists()
    assert fetch.working_tree(settings(tree), state) == first

    put_model(tree, model, VERSION)
    path = pointer(tree)["model"]
    run(tree, sys.executable, "-m", "dvc", "add", "--quiet", path)
    pushed(tree, "a champion")
    second = fetch.working_tree(settings(tree), state)
    assert second != first
    assert (second / path).read_bytes() == (tree / path).read_bytes()
    assert pointer(second)["version"] == VERSION

    for file in (tmp_path / "remote").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.unlink()
    put_model(tree, model, VERSION, "again")
    run(tree, "git", *GIT, "commit", "--quiet", "--all", "--message", "again")
    (state / "cache").rename(tmp_path / "lost")
    with pytest.raises(RuntimeError, match="dvc pull failed"):
        fetch.working_tree(settings(tree), state)


def test_a_repository_that_cannot_be_read(tmp_path: Path) -> None:
    url = "http://name:secret@127.0.0.1:9/repository.git"
    with pytest.raises(RuntimeError, match="the Git repository cannot be read") as raised:
        fetch.working_tree(Settings(_env_file=None, source_git=url), tmp_path)
    assert "secret" not in str(raised.value)
