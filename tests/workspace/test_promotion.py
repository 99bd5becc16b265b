"""Promotion: which candidate may, what it leaves behind, and that a kill at any step leaves one whole champion."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demand.schema.errors import UserError
from stages import promote
from tests.support.promotions import candidate, check_tidy, check_whole, current, empty_registry, fake_dvc, run
from workspace.registry.history import read_history
from workspace.registry.promotion import promotion_lock
from workspace.registry.store import load_model, stored_versions
from workspace.run import paths


@pytest.fixture(autouse=True)
def work(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    return empty_registry(project, monkeypatch)


def test_first_promotion_writes_everything(monkeypatch, capsys):
    digest = candidate(12.0)
    run(monkeypatch, "--reason", "first\nlaunch")
    found = check_whole()
    assert found.sha256 == digest
    assert (str(found.trained_through), found.horizon, found.train, found.previous) == ("2017-12-31", 90, {"max_depth": 6}, None)
    assert found.known_future == ("promo",)
    assert found.baseline == {"smape": 12.0, "mae": 6.0, "per_origin": []}  # no tables per store
    check_tidy(1)
    row = read_history()[0]
    assert (row["action"], row["smape"], row["reason"]) == ("promote", "12.0000", "first launch; first champion (smape 12.00)")
    card = (paths.VERSIONS / found.version / "model_card.md").read_text()
    assert f"sha256 {digest}" in card
    assert "| smape | 12.0000 |" in card
    stored = json.loads((paths.VERSIONS / found.version / "metrics.json").read_text())
    assert stored["evaluate"]["stores"] == {"1": 3}
    assert "promoted: version" in capsys.readouterr().out


def test_the_same_candidate_twice_changes_nothing(monkeypatch, capsys):
    candidate()
    run(monkeypatch)
    candidate()
    before = paths.CHAMPION.read_bytes()
    run(monkeypatch)
    assert "is the champion already" in capsys.readouterr().out
    assert paths.CHAMPION.read_bytes() == before
    check_tidy(1)


@pytest.mark.parametrize(("smape", "unseen", "allowed"), [
    (12.0, {}, True), (12.11, {}, True), (12.13, {}, False), (float("nan"), {}, False),
    (11.0, {"2017-10-02": {"candidate": {"smape": 14.0}, "champion": {"smape": 13.0}}}, False),
    (11.0, {"2017-10-02": {"candidate": {"smape": 13.0}, "champion": {"smape": 14.0}}}, True),
])
def test_worse_than_the_tolerance_is_refused_and_force_overrides(monkeypatch, smape, unseen, allowed):
    candidate(12.0)
    run(monkeypatch)
    first = current()
    candidate(smape, "2018-01-31", unseen=unseen)
    if allowed:
        run(monkeypatch)
        assert current().previous == first.version
        return
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"not promoted: worse than 1\.0% allows.*--force --reason"):
        run(monkeypatch)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    run(monkeypatch, "--force", "--reason", "the new assortment")
    assert current().reason.startswith("the new assortment; forced; worse than")
    check_tidy(2)


def test_force_needs_a_reason(monkeypatch, capsys):
    candidate()
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, "--force")
    assert stop.value.code == 2
    assert "--force needs --reason" in capsys.readouterr().err


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda: paths.MODEL.write_bytes(b"other"), "metrics/train.json is about another model than models/model.pkl: run dvc repro"),
    (lambda: paths.MODEL.unlink(), "models/model.pkl is missing: run dvc repro, or dvc pull"),
    (lambda: paths.EVALUATE_METRICS.unlink(), "metrics/evaluate.json is missing: run dvc repro"),
    (lambda: paths.COMPARE_METRICS.write_text("{"), "metrics/compare.json is not JSON"),
    (lambda: paths.COMPARE_METRICS.write_text("{}"), "metrics/compare.json is no comparison (model_sha256: Field required"),
    (lambda: paths.CHAMPION.unlink(), "models/champion.json is missing: restore it with git checkout"),
    (lambda: paths.CHAMPION.write_text('{"version": "v2"}'), "models/champion.json is no champion (version: "),
    (lambda: paths.CHAMPION.write_text("<<<<<<< HEAD"), "models/champion.json is not JSON"),
])
def test_what_does_not_fit_together_is_named(monkeypatch, spoil, message):
    candidate()
    spoil()
    with pytest.raises(UserError) as error:
        run(monkeypatch)
    assert message in str(error.value)


def test_a_comparison_with_another_champion_is_stale(monkeypatch):
    candidate(12.0)
    stale = paths.COMPARE_METRICS.read_text()
    run(monkeypatch)
    digest = candidate(11.0)
    paths.COMPARE_METRICS.write_text(json.dumps(json.loads(stale) | {"model_sha256": digest}))
    with pytest.raises(UserError, match=r"is about champion None, not 2\d+T\d+Z: run dvc repro"):
        run(monkeypatch)


def test_rollback_goes_back_step_by_step_and_list_shows_it(monkeypatch, capsys):
    for number, smape in enumerate((12.0, 11.9, 11.8), 1):
        candidate(smape)
        run(monkeypatch)
        check_tidy(number)
    first, second, third = stored_versions()
    run(monkeypatch, "--rollback")
    assert (current().version, current().action) == (second.version, "rollback")
    run(monkeypatch, "--rollback", "--reason", "still wrong")
    assert (current().version, current().reason) == (first.version, "still wrong")
    check_whole()
    with pytest.raises(UserError, match=f"version {first.version} is the first"):
        run(monkeypatch, "--rollback")
    run(monkeypatch, "--rollback", third.version)
    assert current().model_dump(exclude={"promoted_at", "reason"}) == third.model_dump(exclude={"promoted_at", "reason"})
    rows = read_history()
    assert [row["action"] for row in rows] == ["promote"] * 3 + ["rollback"] * 3
    assert [row["at"] for row in rows] == sorted({row["at"] for row in rows})
    with pytest.raises(UserError, match=r"no version 20000101T000000Z: 2\d+T"):
        run(monkeypatch, "--rollback", "20000101T000000Z")
    capsys.readouterr()
    run(monkeypatch, "--list")
    lines = capsys.readouterr().out.splitlines()
    assert [line[:18].split()[-1] for line in lines[1:]] == [third.version, second.version, first.version]
    assert [line[0] for line in lines[1:]] == ["*", " ", " "]


def test_list_and_rollback_before_any_promotion(monkeypatch, capsys):
    run(monkeypatch, "--list")
    assert "no version yet" in capsys.readouterr().out
    with pytest.raises(UserError, match="no champion to roll back from"):
        run(monkeypatch, "--rollback")


def test_a_model_file_that_was_changed_is_never_unpickled(work, monkeypatch):
    candidate(12.0)
    run(monkeypatch)
    candidate(11.5)
    run(monkeypatch)
    first = stored_versions()[0]
    trap = work / "trap"
    Path(first.model).write_bytes(b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR.")
    for attempt in (lambda: load_model(first), lambda: run(monkeypatch, "--rollback")):
        with pytest.raises(UserError, match=r"is not the model that was promoted.*dvc checkout --force"):
            attempt()
    assert not trap.exists()
    assert current().version != first.version


def test_a_missing_model_file_says_what_to_run(monkeypatch):
    candidate()
    run(monkeypatch)
    Path(current().model).unlink()
    asked = []

    def refuses(*arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments[0])
        return subprocess.CompletedProcess(arguments, 1, "", "ERROR: no remote specified\n")

    monkeypatch.setattr("workspace.registry.store.run_dvc", refuses)
    with pytest.raises(UserError, match=r"could not bring it \(ERROR: no remote specified\).*run: dvc pull models/.*\.dvc"):
        load_model(current())
    assert asked == ["checkout", "pull"]


def test_one_promotion_at_a_time(monkeypatch):
    candidate()
    with promotion_lock(), pytest.raises(UserError, match="another promotion is running"):
        run(monkeypatch)


def test_a_reason_is_recorded_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hush-hush")
    monkeypatch.setattr(sys, "argv", ["promote", "--reason", "the key hush-hush has changed"])
    assert promote.arguments().reason == "the key *** has changed"


def test_half_a_dvc_file_of_the_latest_model_does_not_stop_a_promotion(monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC writes it in place and refuses what it cannot parse."""
    candidate()
    half = Path(f"{paths.LATEST}.dvc")
    half.write_text("outs:\n- md5: 7a")

    def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, 1, "", "") if half.exists() else fake_dvc(*arguments)

    monkeypatch.setattr("workspace.registry.latest.run_dvc", dvc)
    run(monkeypatch)
    check_tidy(1)
