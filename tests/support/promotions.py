"""Candidates to promote, with a stand-in for DVC, and what holds after every change of champion."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demand.champion.champion_record import Champion
from demand.schema.json_record import sha256
from stages import promote
from workspace.registry.history import read_history
from workspace.registry.latest import tracked_md5
from workspace.registry.promotion import orphaned_versions
from workspace.registry.store import champion_bytes, read_champion
from workspace.run import paths

ORIGINS = ["2017-06-30", "2017-10-02"]


def candidate(smape: float = 12.0, through: str = "2017-12-31", ours: float | None = None, unseen: dict | None = None) -> str:
    """Write what train, evaluate and compare leave behind, with a stand-in for the model; returns its digest."""
    for path in (paths.MODEL, paths.TRAIN_METRICS):
        path.parent.mkdir(exist_ok=True)
    paths.MODEL.write_text(json.dumps({"smape": smape, "through": through}))
    digest = sha256(paths.MODEL.read_bytes())
    current = read_champion()
    metrics: dict[Path, dict[str, Any]] = {
        paths.TRAIN_METRICS: {"model_sha256": digest, "trained_from": "2013-01-01", "trained_through": through, "rows": 913000,
                              "series": 500, "horizon": 90, "base": "level", "report": {}, "train": {"max_depth": 6},
                              "known_future": ["promo"]},
        paths.EVALUATE_METRICS: {"model_sha256": digest, "smape": smape, "mae": 6.0, "per_origin": [], "stores": {"1": 3}},
        paths.COMPARE_METRICS: {
            "model_sha256": digest, "champion": current.version if current else None, "same_configuration": False,
            "origins": ORIGINS, "candidate": {"smape": smape}, "unseen": unseen or {},
            "champion_scores": {"smape": ours or current.baseline["smape"]} if current else {},
            "ratio": smape / (ours or current.baseline["smape"]) if current else None},
    }
    for path, content in metrics.items():
        path.write_text(json.dumps(content))
    return digest


def fake_dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`dvc add` without DVC: what it leaves beside the model."""
    model = Path(arguments[-1])
    (model.parent / ".gitignore").write_text(f"/{model.name}\n")
    digest = hashlib.md5(model.read_bytes(), usedforsecurity=False).hexdigest()
    Path(f"{model}.dvc").write_text(f"outs:\n- md5: {digest}\n  path: {model.name}\n")
    return subprocess.CompletedProcess(arguments, 0, "", "")


def empty_registry(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a champion, and without DVC."""
    root = project()
    paths.CHAMPION.parent.mkdir()
    paths.CHAMPION.write_text('{"version": null}\n')
    for module in ("store", "promotion", "latest"):
        monkeypatch.setattr(f"workspace.registry.{module}.run_dvc", fake_dvc)
    return root


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["promote", *arguments])
    promote.main()


def current() -> Champion:
    found = read_champion()
    assert found is not None
    return found


def check_whole() -> Champion | None:
    """The pointer names nothing, or a version that has all its parts."""
    found = read_champion()
    if found:
        assert json.loads(champion_bytes(found))["smape"] == found.baseline["smape"]
        parts = {path.name for path in Path(found.model).parent.iterdir()}
        assert {"model.pkl", "model.pkl.dvc", "metrics.json", "model_card.md"} <= parts
    return found


def check_tidy(changes: int) -> None:
    """Every change of champion is in history and log once, in order, and nothing lies about."""
    rows, lines = read_history(), paths.RETRAIN_LOG.read_text().splitlines()
    assert [row["at"] for row in rows] == sorted({row["at"] for row in rows})
    assert len(rows) == len(lines) == changes
    assert rows[-1]["version"] == current().version
    assert orphaned_versions() == []
    assert {path.name for path in paths.VERSIONS.iterdir()} == {row["version"] for row in rows}
    assert not list(Path().rglob("*.part"))
    assert paths.LATEST.read_bytes() == champion_bytes(current())
    assert tracked_md5(Path(f"{paths.LATEST}.dvc")) == tracked_md5(Path(f"{current().model}.dvc")) is not None
