"""Deployment, against a stand-in for the Hub that runs what was uploaded: what serves there is what was sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib
import pytest
from pyarrow import parquet

from tests.support.examples import ROOT
from tests.support.hub import READ, REQUEST_TOKEN, WRITE, Hub
from tests.support.pipelines import Project
from tests.support.spaces import CREATED, LARGE, Commit, Repo

SPACE = "shop/demand"
DEPLOYED = ("api", "automation", "Dockerfile", ".dockerignore", "requirements-api.lock", "requirements-sbom.lock")


@pytest.fixture(scope="session")
def first(bootstrapped: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A whole repository with a champion: copy it, do not change it."""
    project = bootstrapped.copy(tmp_path_factory.mktemp("first"))
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *DEPLOYED], cwd=ROOT, capture_output=True,
                            text=True, check=True)
    for name in listed.stdout.split():
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, project.root / name)
    project.promote("--reason", "test")
    return project


@pytest.fixture(scope="session")
def second(first: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same data, and a newer champion: the model in another file."""
    project = first.copy(tmp_path_factory.mktemp("second"))
    pointer = project.read("models/champion.json")
    model = project.root / pointer["model"]
    newer = f"{int(pointer['version'][:8]) + 1}{pointer['version'][8:]}"
    path = project.root / "models/versions" / newer / "model.pkl"
    path.parent.mkdir()
    joblib.dump(joblib.load(model), path, protocol=5)
    assert path.read_bytes() != model.read_bytes()
    pointer |= {"version": newer, "model": str(path.relative_to(project.root)), "sha256": sha256(path.read_bytes()).hexdigest(),
                "previous": pointer["version"]}
    (project.root / "models/champion.json").write_text(json.dumps(pointer))
    return project


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.started(tmp_path) as hub:
        yield hub


class Done:
    """What one deployment said and wrote."""

    def __init__(self, project: Project, hub: Hub, *arguments: str, **environment: str) -> None:
        result = hub.root / "result.json"
        result.unlink(missing_ok=True)
        command = [sys.executable, "-m", "automation.deploy_space", "--space", SPACE, "--result", str(result), *arguments]
        run = subprocess.run(command, cwd=project.root, env=hub.environment(**environment), capture_output=True, text=True,
                             check=False)
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr
        self.result: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {}

    def says(self, *texts: str) -> bool:
        """Failed with one line that holds all of these, and no secret."""
        assert self.code == 1, self.out + self.err
        assert self.err.startswith("error: ")
        assert self.err.count("\n") == 1, self.err
        assert "hf_" not in self.err.replace("hf_xet", "")
        return all(text in self.err for text in texts)


def local(project: Project) -> dict[str, bytes]:
    """What has to be in the Space, told without the code under test."""
    code = [path for place in ("api", "demand", "workspace") for path in (project.root / place).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts]
    model = project.read("models/champion.json")["model"]
    single = ("Dockerfile", ".dockerignore", "requirements-api.lock", "requirements-sbom.lock", "models/champion.json", model,
              "data/processed/feature_data.parquet", "reports/drift_summary.json")
    files = [*code, *(project.root / name for name in single), *(project.root / "metrics").glob("*.*")]
    return {str(path.relative_to(project.root)): path.read_bytes() for path in files if path.name != ".gitignore"}


def in_space(commit: Commit) -> dict[str, bytes]:
    return {name: content for name, content in commit.files.items() if name not in (".gitattributes", "README.md")}


def version(project: Project) -> str:
    return str(project.read("models/champion.json")["version"])


@pytest.mark.slow
def test_first_deployment_then_nothing_new(first: Project, hub: Hub) -> None:
    done = Done(first, hub)
    assert done.code == 0, done.err
    repo = hub.repos[SPACE]
    assert repo.private
    assert f"made the private Space {SPACE}" in done.out
    assert len(repo.commits) == 2
    assert in_space(repo.head) == local(first)
    assert repo.head.files["README.md"] == (ROOT / "automation/space/README.md").read_bytes()
    assert {change.split()[1] for change in repo.head.changed if change.startswith("lfsFile")} == {
        name for name in local(first) if name.endswith(LARGE)}
    assert list(repo.tags.values()) == [repo.head.id]
    assert done.result | {"seconds": 0} == {
        "space": SPACE, "revision": repo.head.id, "previous_revision": None, "version": version(first), "status": "deployed",
        "reason": "", "seconds": 0}
    assert hub.sent("POST").count(f"/live/{SPACE}/predict") == 3
    assert hub.shown == {WRITE}

    hub.log.clear()
    again = Done(first, hub, HF_TOKEN="", GITHUB_ACTIONS="true", ACTIONS_ID_TOKEN_REQUEST_TOKEN=REQUEST_TOKEN,
                 ACTIONS_ID_TOKEN_REQUEST_URL=f"{hub.url}/github?v=1")
    assert again.code == 0, again.err
    assert again.result["status"] == "unchanged"
    assert again.result["previous_revision"] == repo.head.id
    assert len(repo.commits) == 2
    assert "/oauth/token" in hub.sent("POST")
    assert not [path for path in hub.sent("POST") if "/commit/" in path or "preupload" in path]
    assert hub.sent("POST").count(f"/live/{SPACE}/predict") == 3


@pytest.mark.slow
def test_what_is_expected_is_what_the_pipeline_forecast(first: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from automation.support import smoke_test
    from workspace.registry.store import read_champion

    monkeypatch.chdir(first.root)
    rows = {(row["store"], row["item"], str(row["date"])): row["forecast"]
            for row in parquet.read_table("data/forecast/forecast.parquet").to_pylist()}
    current = read_champion()
    assert current is not None
    found = smoke_test.expected(current)
    assert len(set(found)) == 3
    for one in found:
        assert one.sales == pytest.approx(rows[one.store, one.item, one.date], rel=1e-6)


@pytest.mark.slow
def test_new_champion_then_failures_bring_it_back(first: Project, second: Project, hub: Hub) -> None:
    assert Done(first, hub).code == 0
    repo = hub.repos[SPACE]
    hub.log.clear()
    done = Done(second, hub)
    assert done.code == 0, done.err
    assert done.result["status"] == "deployed"
    assert done.result["previous_revision"] == repo.commits[1].id
    assert in_space(repo.head) == local(second)
    assert f"deletedFile {first.read('models/champion.json')['model']}" in repo.head.changed
    assert not [change for change in repo.head.changed if "feature_data" in change or " api/" in change]
    assert len(hub.sent("PUT")) == 1

    good = repo.head
    old = version(first)
    repo.fails = lambda files: "pip found none" if json.loads(files["models/champion.json"])["version"] == old else None
    done = Done(first, hub)
    assert done.says("BUILD_ERROR, pip found none", f"Rolled back: version {version(second)}", good.id[:12])
    assert done.result["status"] == "rolled_back"
    assert done.result["reason"].startswith(f"{SPACE} does not run: BUILD_ERROR")
    assert done.result["previous_revision"] == good.id
    assert done.result["revision"] == repo.head.id
    assert [commit.title for commit in repo.commits[-2:]] == [f"Deploy {version(first)}", f"Roll back to {good.id[:12]}"]
    assert repo.head.files == good.files
    assert repo.running == repo.head.id
    assert not [change for change in repo.head.changed if "feature_data" in change]
    assert len(repo.tags) == 2

    repo.fails, repo.stale = lambda _: None, True
    done = Done(first, hub, "--timeout", "150")
    assert done.says(f"serves version {version(second)}, not {version(first)}", "Rolled back")
    assert repo.head.files == good.files


@pytest.mark.slow
def test_killed_before_the_test_and_run_again(first: Project, hub: Hub) -> None:
    """In a Space that is public, whose app is not shown the token."""
    hub.repos[SPACE] = repo = Repo(SPACE, private=False)
    readme = (ROOT / "automation/space/README.md").read_bytes()
    repo.add("Deploy", {**CREATED, **local(first), "README.md": readme})
    hub.build(repo)
    assert not repo.tags
    done = Done(first, hub)
    assert done.code == 0, done.err
    assert done.result["status"] == "unchanged"
    assert len(repo.commits) == 1
    assert list(repo.tags.values()) == [repo.head.id]
    assert not repo.private
    assert hub.shown == {""}


@pytest.mark.slow
def test_nothing_to_roll_back_to(first: Project, hub: Hub) -> None:
    broken = first.copy(hub.root / "broken")
    (broken.root / "api/app.py").write_text("raise SystemExit(3)\n")
    done = Done(broken, hub)
    assert done.says("RUNTIME_ERROR, exit code 3", "Nothing to roll back to")
    assert done.result["status"] == "failed"
    assert not hub.repos[SPACE].tags

    late = Done(first, hub, "--timeout", "0")
    assert late.says("did not run in time", "Nothing to roll back to")


@pytest.mark.slow
def test_wrong_forecasts_are_noticed(first: Project, hub: Hub) -> None:
    """The right version and hash, and an API that adds a tenth: only the forecasts can tell."""
    broken = first.copy(hub.root / "broken")
    page = broken.root / "api/serving/answers.py"
    text = page.read_text()
    assert "look_up(served, query).tolist()" in text
    page.write_text(text.replace("look_up(served, query).tolist()", "(look_up(served, query) * 1.1).tolist()"))
    assert Done(broken, hub, "--timeout", "150").says("/predict forecasts", "the champion forecasts", "Nothing to roll back to")


@pytest.mark.slow
def test_what_the_hub_refuses(first: Project, hub: Hub) -> None:
    assert Done(first, hub, HF_TOKEN="").says("there is no token for the Hub: set HF_TOKEN")
    assert Done(first, hub, HF_TOKEN="hf_wrong").says("401, HF_TOKEN is not valid")
    assert Done(first, hub, HF_TOKEN=READ).says("403, HF_TOKEN may not do this")
    publisher = {"HF_TOKEN": "", "GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN}
    stranger = Done(first, hub, **publisher, ACTIONS_ID_TOKEN_REQUEST_URL=f"{hub.url}/github?v=1")
    assert stranger.says("logging in: the Hub answers 400", "trusted publisher")
    assert not hub.repos
    assert not hub.stored
    gone = Done(first, hub, HF_ENDPOINT="http://127.0.0.1:9")
    assert gone.says("the Hub cannot be reached")
    assert gone.result["status"] == "failed"
    assert gone.result["revision"] is None
    assert gone.result["reason"] in gone.err


@pytest.mark.slow
def test_what_is_not_deployed(first: Project, hub: Hub) -> None:
    project = first.copy(hub.root / "work")
    model = project.root / project.read("models/champion.json")["model"]
    data = project.root / "data/processed/feature_data.parquet"
    kept = model.read_bytes()
    model.unlink()
    model.write_bytes(kept[:-1] + b"!")
    assert Done(project, hub).says("is not the model that was promoted")
    model.write_bytes(kept)
    data.unlink()
    assert Done(project, hub).says("feature_data.parquet")
    (project.root / "models/champion.json").write_text('{"version": null}\n')
    assert Done(project, hub).says("there is no champion")
    assert not hub.log


@pytest.mark.slow
def test_dry_run_lists_the_files(first: Project, hub: Hub) -> None:
    done = Done(first, hub, "--dry-run", HF_TOKEN="", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.code == 0, done.err
    lines = dict(reversed(line.split(maxsplit=1)) for line in done.out.splitlines()[:-2])
    readme = (ROOT / "automation/space/README.md").read_bytes()
    assert lines == {name: f"{len(content):,}" for name, content in {**local(first), "README.md": readme}.items()}
    assert done.out.endswith(f"would be {version(first)} in the Space {SPACE}\n")
    assert not hub.log
