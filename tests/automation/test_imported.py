"""Imported data that drift, through the workflow's own steps: each job in a fresh clone, the source an HTTP server."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

import pytest

from tests.automation.test_workflows import Remote, went
from tests.support import s3
from tests.support.pipelines import DRIFTS, FIRST, Project
from tests.support.pulls import Pulls, protect
from tests.support.served_sales import Source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def remote(bootstrapped: Project, source: Source, store: s3.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """A project whose sales are imported, with a first champion."""
    with source.served() as address:
        remote = Remote(tmp_path_factory.mktemp("remote"), bootstrapped, store)
        remote.project.set({"data": {"as_of": None}})
        remote.run("dvc", "remove", "data/sales.csv.dvc")
        remote.run("rm", "data/sales.csv")
        remote.run("dvc", "import-url", "--quiet", address, "data/sales.csv")
        remote.run("dvc", "repro")
        remote.run("python", "-m", "stages.promote")
        remote.run("dvc", "repro")
        remote.commit("Imported sales and the first champion")
        remote.run("dvc", "push")
        remote.run("git", "push", "--quiet")
        yield remote


WENT = {"check": "success", "retrain": "success", "deploy": "skipped", "notify": "success"}


def test_where_main_is_protected(remote: Remote, source: Source) -> None:
    """The job that trains goes on with the proposal of the check; nothing reaches main, or is deployed, before the merge."""
    source.through(DRIFTS)
    before = remote.head()
    protect(remote.git)
    with Pulls.serving(remote.git) as (environment, pulls):
        workflow = remote.workflow(environment=environment, variables={"RECORD_BY": "pull-request", "HF_SPACE": "shop/demand"})
        workflow.contexts["github"]["token"] = "right"
        jobs = workflow.run()
    protect(remote.git, False)
    assert went(jobs) == WENT
    assert jobs["check"].outputs["deploy"] == "true"  # no Space has a champion yet: due with drift, too
    assert remote.head() == before
    proposed = json.loads(remote.show("show", "automation/main:models/champion.json"))
    assert proposed["trained_through"] == str(FIRST + DRIFTS)
    assert remote.show("log", "--format=%s", "main..automation/main").splitlines() == [
        f"Champion {proposed['version']}, trained through {FIRST + DRIFTS}", f"Sales through {FIRST + DRIFTS}: train"]
    assert [(pull["head"], pull["number"]) for pull in pulls] == [("automation/main", 1)]
    assert f"- promote {proposed['version']}" in pulls[0]["body"]
    assert jobs["retrain"].outputs["pull_request"] == "https://github.com/someone/demand/pull/1"


def test_the_job_that_trains_works_on_what_was_checked(remote: Remote, source: Source) -> None:
    source.through(DRIFTS)
    first, workflow = remote.read("models/champion.json"), remote.workflow()
    workflow.after["check"] = lambda: source.through(DRIFTS + 7)  # the source moves on between the two jobs
    jobs = workflow.run()
    assert went(jobs) == WENT
    assert jobs["retrain"].outputs["promoted"] == "true"
    second = remote.read("models/champion.json")
    assert (second["previous"], second["trained_through"]) == (first["version"], str(FIRST + DRIFTS))
    assert remote.show("log", "-2", "--format=%s", "main").splitlines() == [
        f"Champion {second['version']}, trained through {FIRST + DRIFTS}", f"Sales through {FIRST + DRIFTS}: train"]
    diary = list(csv.DictReader(remote.show("show", "main:metrics/drift_history.csv").splitlines()))
    assert [(row["champion"], row["retrain"]) for row in diary[-2:]] == [(first["version"], "True"), (second["version"], "False")]
    sales = (remote.fresh("everything").root / "data/sales.csv").read_text()  # the DVC remote has what was trained on
    assert str(FIRST + DRIFTS) in sales
    assert str(FIRST + DRIFTS + 1) not in sales

    jobs = workflow.run()  # a week more, and no drift
    assert went(jobs) == WENT | {"retrain": "skipped", "notify": "skipped"}
    assert remote.show("log", "-1", "--format=%s", "main") == f"Sales through {FIRST + DRIFTS + 7}: keep"
