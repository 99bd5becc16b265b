"""Whatever stops a deployment once the Space has it: the roll-back is tried, and the result is written without secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from automation import deploy_space
from automation.support import hub, smoke_test
from demand.champion.champion_record import Champion
from demand.schema.errors import UserError

KEY = "of-the-api"
ERRORS = [ValueError(f"Invalid header value b'{KEY}\\n'"), KeyError(KEY), KeyboardInterrupt(), RuntimeError(), MemoryError(KEY),
          UserError(f"{KEY} is\nwrong")]
REASONS = ["ValueError: Invalid header value b'***\\n'",
           "KeyError: '***'", "KeyboardInterrupt", "RuntimeError", "MemoryError: ***", "*** is wrong"]


class Space:
    """The last good revision is `good`; `fails` is raised where the new one is waited for."""

    fails: BaseException | None = None
    restores: str | BaseException = "restored"
    said: list[str]

    def __init__(self, name: str) -> None:
        self.name = name
        Space.said = []

    def open(self) -> str:
        return "head"

    def last_good(self) -> str:
        return "good"

    def put(self, *_: Any) -> str:
        return "new"

    def wait(self, revision: str, *_: Any) -> None:
        self.said.append(f"waits for {revision}")
        if revision == "new" and self.fails:
            raise self.fails

    def restore(self, revision: str, _: str) -> str:
        self.said.append(f"restores {revision}")
        if isinstance(self.restores, BaseException):
            raise self.restores
        return self.restores

    def live(self) -> hub.Live:
        return hub.Live("http://127.0.0.1:9", None)


@pytest.fixture(autouse=True)
def _space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_KEY", KEY)
    monkeypatch.setattr(hub, "Space", Space)
    monkeypatch.setattr(deploy_space, "promoted", lambda: Champion.model_construct(version="v1"))
    monkeypatch.setattr(deploy_space, "upload", lambda _: {})
    monkeypatch.setattr(smoke_test, "expected", lambda _: [])
    monkeypatch.setattr(smoke_test, "ready", lambda *_: "v0")
    monkeypatch.setattr(sys, "argv", ["deploy_space", "--space", "shop/demand", "--timeout", "1", "--result", "result.json"])


def result() -> dict[str, Any]:
    return dict(json.loads(Path("result.json").read_text()))


@pytest.mark.parametrize(("error", "reason"), [*zip(ERRORS, REASONS, strict=True)], ids=REASONS)
@pytest.mark.parametrize("where", ["wait", "check"])
def test_it_is_rolled_back(where: str, error: BaseException, reason: str, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Space, "fails", error if where == "wait" else None)
    monkeypatch.setattr(smoke_test, "check", fail)
    with pytest.raises(type(error)) as raised:
        deploy_space.main()
    assert Space.said == ["waits for new", "restores good", "waits for restored"]
    found = result()
    assert (found["status"], found["reason"], found["revision"]) == ("rolled_back", reason, "restored")
    told = str(raised.value) if isinstance(error, UserError) else capsys.readouterr().err
    assert "Rolled back: version v0 of revision good serves again" in told


@pytest.mark.parametrize("error", [OSError(KEY), UserError(KEY)])
def test_a_roll_back_that_fails_as_well(error: Exception, monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Space, "fails", ValueError("a"))
    monkeypatch.setattr(Space, "restores", error)
    with pytest.raises(ValueError, match="a"):
        deploy_space.main()
    assert (result()["status"], result()["reason"], result()["revision"]) == ("failed", "ValueError: a", "new")
    told = capsys.readouterr().err
    assert "Rolling back to revision good failed as well: " in told
    assert KEY not in told


def test_the_result_is_written_where_the_roll_back_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Space, "fails", KeyboardInterrupt())
    monkeypatch.setattr(Space, "restores", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        deploy_space.main()
    assert (result()["status"], result()["reason"]) == ("failed", "KeyboardInterrupt")
