"""The libraries that decide numbers: a model is never recorded under another version than the one that made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demand.schema.errors import UserError
from tests.support.examples import ROOT
from tests.support.pipelines import Project
from workspace.run.libraries import model_libraries


def test_what_is_installed_is_what_the_file_says() -> None:
    found = model_libraries(ROOT / "requirements-model.txt")
    assert found["numpy"] == np.__version__
    assert {"holidays", "numpy", "python-dateutil", "scikit-learn", "scipy", "xgboost"} == set(found)


@pytest.mark.parametrize(("line", "message"), [
    ("numpy==1.0", r"numpy [\d.]+ is installed, requirements.txt says ==1.0: install what it says"),
    ("no-such-library==1.0", r"no-such-library \(none\) is installed"),
])
def test_another_version_is_refused(line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.txt").write_text(f"# a comment\n{line}  # and one more\n")
    with pytest.raises(UserError, match=message):
        model_libraries(Path("requirements.txt"))


def test_what_another_platform_needs_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text('no-such-library==1.0; sys_platform == "plan9"\n')
    assert model_libraries(tmp_path / "file.txt") == {}


@pytest.mark.slow
def test_a_new_xgboost_trains_and_a_reworded_message_does_not(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path)

    def changed() -> str:
        return project.run("dvc", "status", "train", "window", "evaluate")

    assert "train" not in changed()
    for path in ("demand/schema/problem_messages.py", "demand/champion/model_card.py", "demand/drift/report_page.py",
                 "workspace/run/command.py"):
        file = project.root / path
        file.write_text(file.read_text() + "\n# reworded\n")
    assert "train:" not in changed()
    file = project.root / "requirements-model.txt"
    file.write_text(file.read_text().replace("xgboost-cpu==3.2.0", "xgboost-cpu==3.3.0"))
    assert "train:" in changed()
    refused = project.run("dvc", "repro", "train", fails=True)
    assert "xgboost-cpu 3.2.0 is installed, requirements-model.txt says ==3.3.0" in refused
