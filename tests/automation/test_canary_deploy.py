"""The canary in a deployment: a Hub, and then a Space, that do their worst with the tokens; what is recorded of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from canary import CANARIES, MODES, hostile, traces
from examples import ROOT
from fastapi import Request
from hub import CREATED, GOOD_TAG, Hub, Repo
from test_canary_services import Run

from demand.model.demand_model import DemandModel
from tests.api.conftest import HORIZON, SETTINGS, put_data, put_model, tiny_panel

SPACE, VERSION = "shop/demand", "20260102T030405Z"
CASES = list(zip(MODES, [*CANARIES, *CANARIES], strict=False))
RESULT = ("automation.deploy_space", "--space", SPACE, "--timeout", "1", "--result", "result.json")


class Standing(Hub):
    """Every commit runs at once, at an address that is not the Hub's."""

    address = ""

    def build(self, repo: Repo) -> None:
        repo.stage, repo.running = "RUNNING", repo.head.id

    async def info(self, request: Request) -> Any:
        return {**await super().info(request), "host": self.address}


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working tree with a champion: copy it, do not change it."""
    place, panel = tmp_path_factory.mktemp("champion"), tiny_panel()
    put_data(place, panel)
    put_model(place, DemandModel.fit(panel, SETTINGS, HORIZON), VERSION)
    for name in ("Dockerfile", ".dockerignore", "params.yaml", "requirements-api.txt", "constraints.txt"):
        shutil.copy(ROOT / name, place / name)
    (place / "reports").mkdir()
    (place / "reports/drift_summary.json").write_text(json.dumps({"as_of": "2026-01-01"}))
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=place, check=True)
    return place


@pytest.fixture
def tree(champion: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(champion, tmp_path / "tree"))


def to_hub(url: str, canary: str) -> dict[str, str]:
    return {"HF_ENDPOINT": url, "HF_TOKEN": canary, "API_KEY": canary, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_a_hostile_hub(mode: str, kind: str, tree: Path) -> None:
    with hostile(mode) as (server, elsewhere):
        done = Run(tree, *RESULT, **to_hub(server.url, CANARIES[kind]))
        assert done.fails_cleanly()
        assert done.err.count("\n") == 1
        assert mode == "unreachable" or any(map(traces, server.received))
        assert bool(elsewhere.received) == (mode == "redirect")
        assert not any(map(traces, elsewhere.received))
    assert json.loads((tree / "result.json").read_text())["status"] == "failed"


@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_a_hostile_space(mode: str, kind: str, tree: Path, tmp_path: Path) -> None:
    """The test in operation fails, the roll-back is tried, and the history gets what happened."""
    canary = CANARIES[kind]
    with hostile(mode) as (server, elsewhere), Standing.started(tmp_path / "hub") as hub:
        hub.address, hub.tokens = server.url, {canary.strip(): "write"}
        hub.repos[SPACE] = repo = Repo(SPACE, private=True)
        good = repo.add("earlier", CREATED)
        repo.tags[GOOD_TAG + good.id[:12]] = good.id
        done = Run(tree, *RESULT, **to_hub(hub.url, canary))
        assert done.fails_cleanly()
        assert done.err.count("\n") == 1
        assert f"Rolling back to revision {good.id[:12]} failed as well: " in done.err
        assert repo.head.files == good.files
        assert len(repo.commits) == 3
        assert mode == "unreachable" or any(map(traces, server.received))
        assert bool(elsewhere.received) == (mode == "redirect")
        assert not any(map(traces, elsewhere.received))
    recorded = Run(tree, "automation.record_deployment", "result.json", API_KEY=canary)
    assert (recorded.code, recorded.leaks) == (0, {"output": []}), recorded.err
    history = (tree / "metrics/retrain_history.csv").read_text()
    assert history.splitlines()[-1].split(",")[1:3] == ["deploy", VERSION]


@pytest.mark.parametrize("name", ["API_KEY", "HF_TOKEN"])
def test_a_control_character_is_refused_before_anything_is_sent(name: str, tree: Path) -> None:
    with hostile("500") as (server, _):
        done = Run(tree, *RESULT, **to_hub(server.url, "fine") | {name: "quokka71\nwombat82"})
        assert done.fails_cleanly()
        assert f"error: {name}: it holds a control character" in done.err
        assert not server.received


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_a_result_that_holds_a_secret_is_recorded_without_it(canary: str, tree: Path) -> None:
    """As one that an earlier version wrote."""
    (tree / "old.json").write_text(json.dumps({"space": SPACE, "revision": "1", "version": VERSION, "status": "failed",
                                               "reason": f"Invalid header value {canary.encode()!r}"}))
    done = Run(tree, "automation.record_deployment", "old.json", API_KEY=canary, leave_out=("old.json",))
    assert (done.code, done.leaks) == (0, {"output": []}), done.err
    assert "Invalid header value b'***" in (tree / "metrics/retrain_history.csv").read_text()
