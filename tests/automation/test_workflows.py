"""The workflows, by their own steps: fresh clones, a bare Git remote, and a real S3 server as the DVC remote."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demand.schema.json_record import sha256
from tests.support import s3
from tests.support.comments import Comments
from tests.support.examples import ROOT
from tests.support.hub import WRITE, Hub
from tests.support.pipelines import DRIFTS, FIRST, START, Project, as_of
from tests.support.workflows import Job, Workflow

pytestmark = pytest.mark.slow

SPACE = "shop/demand"
CHECKS = ("make test", "make check-lock", "make lint-workflows lint-platforms", "make test-full")  # the other jobs of ci.yml
CODE = (".github", "Makefile", "automation", "api", "requirements*", "constraints.txt", "Dockerfile", ".dockerignore")


class Remote:
    """A bare Git repository and a DVC remote on an S3 server, with a project pushed to both."""

    def __init__(self, place: Path, bootstrapped: Project, store: s3.Server) -> None:
        self.place, self.git, self.secrets = place, place / "origin.git", store.credentials()
        project = self.project = bootstrapped.copy(place / "project")
        listed = subprocess.run(["git", "ls-files", "-z", "--", *CODE], cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            (project.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project.root / name)
        self.run("git", "rm", "--quiet", "--cached", "data/sales.csv")
        self.run("dvc", "add", "--quiet", "data/sales.csv")  # the data themselves are in the DVC remote, as in a real project
        folder = f"{place.parent.name}/{place.name}"  # of this run: the server may outlive it
        self.run("dvc", "remote", "add", "--force", "--default", "store", f"s3://{store.bucket}/{folder}")
        self.run("dvc", "remote", "modify", "store", "endpointurl", store.endpoint)
        (project.root / ".gitignore").open("a").write("/.venv\n/.cache\n")
        self.commit("The project")
        self.run("git", "branch", "--quiet", "--move", "--force", "main")
        self.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(self.git))
        self.run("git", "remote", "add", "origin", str(self.git))
        self.run("dvc", "push")
        self.run("git", "push", "--quiet", "--set-upstream", "origin", "main")

    def run(self, *command: str) -> str:
        environment = self.project.environment() | self.secrets
        done = subprocess.run(command, cwd=self.project.root, env=environment, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=someone", "-c", "user.email=someone@example.com", "commit", "--quiet", "-m", message)

    def push(self, changes: dict[str, dict[str, Any]]) -> None:
        """Change params.yaml as somebody who works on the project."""
        self.run("git", "pull", "--quiet", "--rebase")
        self.project.set(changes)
        self.commit("New data")
        self.run("git", "push", "--quiet")

    def workflow(self, name: str = "retrain", secrets: dict[str, str] | None = None, **settings: Any) -> Workflow:
        place = self.place / "runs"
        place.mkdir(exist_ok=True)
        number = len(list(place.iterdir()))
        return Workflow(name, self.git, place / str(number), self.secrets if secrets is None else secrets, **settings)

    def head(self) -> str:
        return self.show("log", "-1", "--format=%H")

    def show(self, *command: str) -> str:
        return subprocess.run(["git", *command], cwd=self.git, capture_output=True, text=True, check=True).stdout.strip()

    def read(self, path: str) -> Any:
        return json.loads(self.show("show", f"main:{path}"))

    def history(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.show("show", "main:metrics/retrain_history.csv").splitlines()))

    def fresh(self, name: str) -> Project:
        """A clone that has nothing but what the two remotes hold."""
        subprocess.run(["git", "clone", "--quiet", str(self.git), str(self.place / name)], check=True)
        clone = Project(self.place / name)
        subprocess.run(["dvc", "pull"], cwd=clone.root, env=clone.environment() | self.secrets, capture_output=True, check=True)
        return clone


@pytest.fixture(scope="module")
def remote(bootstrapped: Project, store: s3.Server, tmp_path_factory: pytest.TempPathFactory) -> Remote:
    return Remote(tmp_path_factory.mktemp("remote"), bootstrapped, store)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.started(tmp_path) as hub:
        yield hub


def went(jobs: dict[str, Job]) -> dict[str, str]:
    for job in jobs.values():
        print(job.log)
    return {name: job.result for name, job in jobs.items()}


ALL = {"check": "success", "retrain": "success", "deploy": "success", "notify": "success"}
CHECK_ALONE = {"check": "success", "retrain": "skipped", "deploy": "skipped", "notify": "skipped"}


def test_the_loop(remote: Remote, hub: Hub) -> None:
    kept = {name: value for name, value in hub.environment().items() if name.startswith("HF_") and name != "HF_TOKEN"}
    workflow = remote.workflow(secrets=remote.secrets | {"HF_TOKEN": WRITE}, variables={"HF_SPACE": SPACE}, environment=kept,
                               without=("Build the image",))  # tests/stack builds it
    jobs = workflow.run()  # no champion yet: the candidate that is there becomes the first
    assert went(jobs) == ALL
    first = remote.read("models/champion.json")
    assert [(row["action"], row["result"]) for row in remote.history()] == [("promote", ""), ("deploy", "deployed")]
    assert {row["by"] for row in remote.history()} == {"github-actions"}
    assert remote.show("log", "-2", "--format=%an %s").splitlines() == [
        f"github-actions[bot] Deployment deployed: {first['version']}, trained through {first['trained_through']}",
        f"github-actions[bot] Champion {first['version']}, trained through {first['trained_through']}"]
    assert json.loads(hub.repos[SPACE].head.files["models/champion.json"]) == first

    remote.push(as_of(START + 18))
    jobs = workflow.run()  # quiet weeks: the check, a summary, the newest forecast
    assert went(jobs) == CHECK_ALONE
    assert "No drift: the champion stays" in jobs["check"].summary
    assert "errors are normal" in jobs["check"].summary
    assert remote.read("models/champion.json") == first
    assert remote.read("reports/drift_summary.json")["as_of"] == str(FIRST + START + 18)
    assert remote.show("log", "-1", "--format=%s") == f"Sales through {FIRST + START + 18}: keep"
    assert len(remote.history()) == 2

    remote.push(as_of(DRIFTS))
    jobs = workflow.run()  # 30 % more for four weeks
    assert went(jobs) == ALL
    assert jobs["retrain"].outputs["promoted"] == "true"
    assert "as champion it serves its own forecasts" in jobs["retrain"].log
    second = remote.read("models/champion.json")
    assert (second["previous"], second["trained_through"]) == (first["version"], str(FIRST + DRIFTS))
    assert "against their forecast" in second["reason"]
    row, deployment = remote.history()[-2:]
    assert (row["action"], row["trained_from"], row["trained_through"]) == ("promote", str(FIRST), str(FIRST + DRIFTS))
    compared = remote.read(f"models/versions/{second['version']}/metrics.json")["compare"]
    assert float(row["smape_before"]) == pytest.approx(compared["champion_scores"]["smape"], abs=1e-4)
    log = remote.show("show", "main:logs/retrain_logs.log").splitlines()
    assert [line.split()[1] for line in log] == ["promote", "deploy", "promote", "deploy"]
    assert (deployment["version"], deployment["result"]) == (second["version"], "deployed")
    assert deployment["as_of"] == str(FIRST + DRIFTS)
    in_space = hub.repos[SPACE].head.files
    assert json.loads(in_space["models/champion.json"]) == second
    assert sha256(in_space[second["model"]]) == second["sha256"]

    clone = remote.fresh("everything")  # both remotes have all of it
    model = (clone.root / second["model"]).read_bytes()
    assert sha256(model) == second["sha256"]
    assert (clone.root / first["model"]).exists()
    assert clone.run("dvc", "status").strip() == "Data and pipelines are up to date."
    before = remote.head()
    jobs = workflow.run()  # nothing new
    assert went(jobs) == CHECK_ALONE
    assert "nothing to record" in jobs["check"].log
    assert remote.head() == before


def test_a_pull_request(remote: Remote) -> None:
    """What it changes is run, compared and told; what a fork cannot do is left out."""
    base = remote.head()
    remote.push({"promote": {"tolerance": 0.02}})
    event = {"pull_request": {"base": {"sha": base}, "number": 7}}
    github = {"event_name": "pull_request", "event": event, "token": "right", "repository": "someone/demand", "run_id": "12",
              "server_url": "https://github.com"}
    with Comments.serving(["looks good"]) as (address, texts):
        environment = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "someone/demand"}
        ours = remote.workflow("ci", environment=environment, without=CHECKS)
        job = ours.run(github=github)["pipeline"]
        assert job.ran[-1] == "The committed dvc.lock is what was run"
        assert (job.result, "run it and commit the result" in job.log) == ("failure", True)  # somebody forgot dvc repro
        assert "**dvc.lock not current**" in texts[1]
        assert "Stage 'train' didn't change, skipping" in job.log
        assert re.search(r"promote\.tolerance +\| 0\.01 +\| 0\.02 ", texts[1])
        assert "Push data and models" not in job.ran

        fork = remote.workflow("ci", secrets={}, environment=environment, without=CHECKS)
        job = fork.run(github=github)["pipeline"]
        assert job.result == "success", job.log
        assert job.ran == ["Install", "See what can be done here"]
        assert "So is the pipeline: data/sales.csv is only there" in job.summary
        assert len(texts) == 2


def test_bad_credentials_end_the_check_and_change_nothing(remote: Remote) -> None:
    before = remote.head()
    jobs = remote.workflow(secrets={"DAGSHUB_TOKEN": "wrong"}).run()
    assert went(jobs) == {"check": "failure", "retrain": "skipped", "deploy": "skipped", "notify": "success"}
    assert "refuses the credentials" in jobs["check"].log
    assert "Traceback" not in jobs["check"].log
    assert remote.head() == before


def test_a_space_that_went_back_takes_the_pointer_with_it(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path)
    shutil.copytree(ROOT / "automation", project.root / "automation")
    project.promote("--reason", "first")
    first = project.read("models/champion.json")
    project.set({"train": {"n_estimators": 5}})
    project.repro()
    project.promote("--force", "--reason", "second")
    second = project.read("models/champion.json")
    result = {"space": SPACE, "revision": "abc", "previous_revision": "def", "version": second["version"],
              "status": "rolled_back", "reason": "/predict forecasts 1, the champion 2", "seconds": 3.0}
    (tmp_path / "result.json").write_text(json.dumps(result | {"version": first["version"]}))
    said = project.run("python", "-m", "automation.record_deployment", "result.json", fails=True)
    assert "the deployment was of version" in said
    (tmp_path / "result.json").write_text(json.dumps(result))
    said = project.run("python", "-m", "automation.record_deployment", "result.json")
    assert f"rolled back: version {first['version']}" in said
    assert project.read("models/champion.json")["version"] == first["version"]
    rows = list(csv.DictReader((project.root / "metrics/retrain_history.csv").read_text().splitlines()))
    assert [(row["action"], row["version"], row["result"]) for row in rows[-2:]] == [
        ("deploy", second["version"], "rolled_back"), ("rollback", first["version"], "")]
    assert result["reason"] in rows[-1]["reason"]
    assert project.read("reports/drift_summary.json")["champion"] == first["version"]  # what follows was made again
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."
