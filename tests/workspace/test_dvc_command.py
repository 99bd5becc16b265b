"""What is said where DVC fails: its own message, whole, and never nothing."""

from __future__ import annotations

import subprocess

import pytest

from workspace.run.dvc_command import last_error, run_dvc

BUSY = "ERROR: 'model.pkl' is busy, it is being blocked by:\n  (PID 7): dvc add\n\nIf there are no such processes, try again.\n"


@pytest.mark.parametrize(("said", "message"), [
    ("ERROR: no remote specified\n", "ERROR: no remote specified"),
    ("WARNING: old\nERROR: one\n  more of it\nERROR: two\n", "ERROR: two"),
    (BUSY, "ERROR: 'model.pkl' is busy, it is being blocked by: (PID 7): dvc add If there are no such processes, try again"),
    ("Segmentation fault\n\n", "Segmentation fault"),
    ("", "it ended with status -9 and without a message"),
])
def test_the_last_message(said: str, message: str) -> None:
    first = subprocess.CompletedProcess(["dvc"], 1, "", "")
    assert last_error([first, subprocess.CompletedProcess(["dvc"], -9, "", said)]) == message


def test_a_real_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run_dvc("add", "model.pkl")
    assert done.returncode
    assert "not inside of a DVC repository" in last_error([done])
