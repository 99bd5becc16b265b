"""When the workflow deploys: the condition of its job, as GitHub evaluates it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.support.examples import ROOT
from tests.support.workflows import Context, due

JOB = yaml.safe_load((ROOT / ".github/workflows/retrain.yml").read_text())["jobs"]["deploy"]
CHECK = {"remote": "true", "retrain": "false", "deploy": "true", "pull_request": ""}
DISPATCH = {"event_name": "workflow_dispatch", "ref_name": "main", "event": {"repository": {"default_branch": "main"}}}
SCHEDULE = {"event_name": "schedule", "ref_name": "main", "event": {}}  # its event names no repository
SKIPPED = {"result": "skipped", "outputs": {}}


def deploys(check: dict[str, str] | None = None, checked: str = "success", retrain: dict[str, Any] = SKIPPED,
            github: dict[str, Any] = DISPATCH, space: str = "shop/demand", box: bool = False) -> bool:
    needs = {"check": {"result": checked, "outputs": CHECK | (check or {})}, "retrain": retrain}
    failed = any(job["result"] != "success" for job in needs.values())
    return due(JOB["if"], Context(needs=needs, github=github, vars={"HF_SPACE": space}, inputs={"deploy": box}), failed)


def trained(promoted: str, result: str = "success", pull_request: str = "") -> dict[str, Any]:
    return {"result": result, "outputs": {"promoted": promoted, "pull_request": pull_request}}


def test_the_space_has_another_champion_or_runs_out_of_days() -> None:
    assert deploys()
    assert deploys(github=SCHEDULE)
    assert deploys(retrain=trained("false"))  # a candidate that was not taken changes nothing about that
    assert not deploys({"deploy": "false"})
    assert deploys({"deploy": "false"}, box=True)


def test_a_new_champion() -> None:
    assert deploys({"deploy": "false"}, retrain=trained("true"))
    assert not deploys({"deploy": "false"}, retrain=trained("false"))


def test_only_the_default_branch_deploys() -> None:
    assert not deploys(github=DISPATCH | {"ref_name": "an-idea"})
    assert not deploys(github=DISPATCH | {"ref_name": "an-idea"}, box=True)
    assert deploys(github=DISPATCH | {"ref_name": "trunk", "event": {"repository": {"default_branch": "trunk"}}})


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_never_after_a_check_or_a_training_that_failed(result: str) -> None:
    assert not deploys(checked=result)
    assert not deploys(checked=result, box=True)
    if result != "skipped":
        assert not deploys(retrain=trained("true", result))


def test_never_what_waits_to_be_merged() -> None:
    assert not deploys(retrain=trained("true", pull_request="https://github.com/someone/demand/pull/1"))
    assert not deploys({"pull_request": "https://github.com/someone/demand/pull/1"})


def test_never_without_a_space_or_a_remote() -> None:
    assert not deploys(space="")
    assert not deploys({"remote": "false"})


def test_one_deployment_at_a_time_from_whatever_branch() -> None:
    assert "${{" not in JOB["concurrency"]["group"]
    assert JOB["concurrency"]["cancel-in-progress"] is False
