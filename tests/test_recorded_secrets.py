"""What people give as a reason goes into files that Git keeps: without secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from canary import CANARIES, traces, traces_in

from demand.champion.history_rows import HISTORY
from stages import promote
from workspace.registry.history import add_row, read_history


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_a_reason_is_recorded_without_secrets(canary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", canary)
    row = dict.fromkeys(HISTORY, "") | {"at": "2026-01-02T03:04:05Z", "action": "deploy", "version": "v", "smape": "12.5"}
    add_row(row | {"reason": f"no {canary!r} at https://me:{canary}@host/x", "by": f"https://{canary.strip()}@host"})
    add_row(row | {"reason": "again"})
    [recorded] = read_history()
    assert recorded["reason"].startswith("no ")
    assert {name: value for name, value in recorded.items() if name not in ("reason", "by")} == {
        name: value for name, value in row.items() if name not in ("reason", "by")}
    assert traces_in(tmp_path) == {}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_the_reason_of_a_promotion(canary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", canary)
    monkeypatch.setattr(sys, "argv", ["promote", "--force", "--reason", f"the Hub takes {canary}"])
    assert not traces(promote.arguments().reason.encode())
