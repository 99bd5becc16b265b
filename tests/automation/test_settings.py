"""Settings that are wrong are named without what they hold; what is sent with the right ones; answers that make no sense."""

from __future__ import annotations

from typing import Any

import huggingface_hub
import pytest

from api.access import check_key
from api.settings import Settings
from automation import comment_on_pr
from automation.support import environment, hub, smoke_test
from automation.support.hub_errors import hub_errors
from demand.schema.errors import UserError
from tests.support.hostile import CORE, Hostile, holds_secret, hostile
from workspace.secrets.settings import load_settings

GITHUB = {"GITHUB_TOKEN": CORE, "GITHUB_REPOSITORY": "someone/demand", "PULL_REQUEST": "7"}


@pytest.mark.parametrize(("section", "values", "message"), [
    (environment.SpaceAccess, {"API_KEY": f"a\n{CORE}"}, "API_KEY: it holds a control character, such as a line break"),
    (environment.SpaceAccess, {"API_KEY": f"€{CORE}"}, "API_KEY: it holds a character outside of Latin-1"),
    (environment.SpaceAccess, {"HF_TOKEN": " \n"}, "HF_TOKEN: it is blank"),
    (environment.Storage, {"DAGSHUB_TOKEN": f"{CORE}\x1b[0m"}, "DAGSHUB_TOKEN: it holds a control character"),
    (environment.GitHub, GITHUB | {"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set: correct it where it is set"),
    (environment.GitHub, GITHUB | {"GITHUB_API_URL": f"http://{CORE}.org"}, "GITHUB_API_URL is no address that begins with https://"),
    (environment.PullRequest, GITHUB | {"PULL_REQUEST": CORE}, "PULL_REQUEST: input should be a valid integer"),
    (environment.Mail, {"SMTP_HOST": CORE}, "SMTP_HOST is set, MAIL_FROM and MAIL_TO not"),
    (Settings, {"API_KEY": f"{CORE}\nb"}, "API_KEY: it holds a control character"),
    (Settings, {"SOURCE_GIT": f"https://{CORE}\n@host/"}, "SOURCE_GIT: it holds a control character"),
])
def test_a_wrong_setting_is_named_without_what_it_holds(section: Any, values: dict[str, str], message: str,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as raised:
        load_settings(section)
    assert message in str(raised.value)
    assert not holds_secret(str(raised.value))


def test_a_repository_may_lie_in_a_place_of_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_GIT", "/srv/продажи\n")
    source = load_settings(Settings).source_git
    assert source
    assert source.get_secret_value() == "/srv/продажи"


@pytest.mark.parametrize("key", ["plain", "plain\n", " plain\r\n", "mit Größe%@'\"", "ÿ¿"])
def test_api_and_automation_agree_on_the_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one sends the other takes."""
    monkeypatch.setenv("API_KEY", key)
    expected = load_settings(Settings).api_key
    assert expected
    with hostile("ready") as (server, _):
        assert smoke_test.ask(hub.Live(server.url, None), "/ready")[0] == 200
        [given] = [line.split(b": ", 1)[1] for line in server.received.split(b"\r\n") if line.lower().startswith(b"x-api-key")]
    check_key([(b"x-api-key", given)], expected.get_secret_value().encode("latin-1"), True)


def test_the_client_of_the_hub_leaves_its_token_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", CORE)
    with hostile("redirect") as (server, other):
        hub.Space("shop/demand")  # sets the client
        huggingface_hub.get_session().get(server.url, headers={"Authorization": f"Bearer {CORE}"})
        assert holds_secret(server.received)
        assert other.received.startswith(b"GET / ")
        assert not holds_secret(other.received)


def post_comment(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    comment_on_pr.post("text")


HTML = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>"


@pytest.mark.parametrize(("reply", "kind"), [(f"{CORE}\r\n\r\n".encode(), "BadStatusLine"), (HTML, "JSONDecodeError")])
def test_no_json_of_github_is_one_message(reply: bytes, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hostile, "reply", lambda *_: reply)
    with hostile("echo") as (server, _):
        with pytest.raises(UserError) as raised:
            post_comment(server, monkeypatch)
        assert str(raised.value) == f"GitHub cannot be reached for the comment: it answers in no JSON: {kind}"


@pytest.mark.parametrize("error", [KeyError("sdk"), TypeError("no list"), AttributeError("no dict"), IndexError()])
def test_an_answer_that_is_none_of_the_hubs_is_one_message(error: Exception) -> None:
    message = f"opening: the answer is none of the Hub's \\({type(error).__name__}\\)"
    with pytest.raises(UserError, match=message), hub_errors("opening"):
        raise error
