"""Secrets stay with the host that they are for; settings that are wrong are named without what they hold."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import huggingface_hub
import pytest
from canary import hostile, traces

from api.access import check_key
from api.settings import Settings
from automation.support import environment, hub, smoke_test
from automation.support.http_client import open_url
from demand.schema.errors import UserError
from workspace.run import redaction
from workspace.run.settings import load_settings

SECRET = "quokka71wombat82"
HEADERS = {"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET, "Cookie": f"session={SECRET}", "Accept": "text/plain"}


def test_urllib_alone_would_send_them_on() -> None:
    """What open_url is for."""
    with hostile("redirect") as (server, elsewhere):
        urllib.request.urlopen(urllib.request.Request(server.url, headers=HEADERS), timeout=5).close()
        assert any(map(traces, elsewhere.received))


def test_another_host_gets_the_request_without_secrets() -> None:
    with hostile("redirect") as (server, elsewhere):
        open_url(urllib.request.Request(server.url, headers=HEADERS), 5).close()
        assert traces(server.received[0])
        assert len(elsewhere.received) == 1
        assert b"Accept: text/plain" in elsewhere.received[0]
        assert not traces(elsewhere.received[0])


def test_the_same_host_gets_them_again() -> None:
    with hostile("redirect") as (server, _):
        server.elsewhere = server.url
        with pytest.raises(urllib.error.HTTPError, match="infinite loop"):
            open_url(urllib.request.Request(server.url, headers=HEADERS), 5)
        assert all(map(traces, server.received))
        assert len(server.received) > 1


def test_no_redirect_at_all() -> None:
    with hostile("redirect") as (server, elsewhere):
        with pytest.raises(urllib.error.HTTPError) as raised:
            open_url(urllib.request.Request(server.url, headers=HEADERS), 5, redirects=False)
        assert raised.value.code == 307
        raised.value.close()
        assert not elsewhere.received


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "data:text/plain,x"])
def test_http_alone_is_known(url: str) -> None:
    with pytest.raises(urllib.error.URLError, match="unknown url type"):
        open_url(urllib.request.Request(url), 5)


def test_the_client_of_the_hub_leaves_its_token_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with hostile("redirect") as (server, elsewhere):
        hub.Space("shop/demand")  # sets the client
        response = huggingface_hub.get_session().get(server.url, headers={"Authorization": f"Bearer {SECRET}"})
        assert response.status_code == 200
        assert traces(server.received[0])
        assert len(elsewhere.received) == 1
        assert not traces(elsewhere.received[0])


@pytest.mark.parametrize(("url", "encrypted"), [
    ("https://hooks.slack.com/a", True), ("http://127.0.0.1:80/a", True), ("http://localhost", True), ("http://[::1]:9/a", True),
    ("http://hooks.slack.com/a", False), ("http://127.0.0.1.example.org/", False), ("http://localhost@example.org/", False),
    ("file:///etc/passwd", False), ("file://localhost/etc/passwd", False), ("https:///a", False), ("", False),
    ("http://[", False)])
def test_where_a_secret_may_be_sent(url: str, encrypted: bool) -> None:
    assert environment.is_encrypted(url) == encrypted


def test_a_space_without_encryption_is_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    space = hub.Space("shop/demand")
    monkeypatch.setattr(space.api, "space_info", lambda _: type("Info", (), {"host": "http://shop.hf.space", "private": True}))
    with pytest.raises(UserError, match="without encryption"):
        space.live()


@pytest.mark.parametrize(("section", "values", "message"), [
    (environment.SpaceAccess, {"API_KEY": "a\nquokka71"}, "API_KEY: it holds a control character, such as a line break: correct"),
    (environment.SpaceAccess, {"API_KEY": "€quokka71"}, "API_KEY: it holds a character outside of Latin-1"),
    (environment.SpaceAccess, {"HF_TOKEN": " \n"}, "HF_TOKEN: it is blank"),
    (environment.GitHub, {"GITHUB_TOKEN": "", "GITHUB_REPOSITORY": "a/b"}, "GITHUB_TOKEN is not set"),
    (environment.GitHub, {"GITHUB_TOKEN": SECRET, "GITHUB_REPOSITORY": "a/b", "GITHUB_API_URL": "http://quokka71.org"},
     "GITHUB_API_URL is no address that begins with https://"),
    (environment.PullRequest, {"GITHUB_TOKEN": SECRET, "GITHUB_REPOSITORY": "a/b", "PULL_REQUEST": "quokka71"},
     "PULL_REQUEST: input should be a valid integer"),
    (environment.Mail, {"SMTP_HOST": "h", "SMTP_PORT": "99999", "MAIL_FROM": "a", "MAIL_TO": "b"},
     "SMTP_PORT: input should be less"),
    (Settings, {"API_KEY": "quokka71\nb"}, "API_KEY: it holds a control character"),
    (Settings, {"SOURCE_GIT": "https://quokka71\n@host/"}, "SOURCE_GIT: it holds a control character"),
])
def test_a_wrong_setting_is_named_without_what_it_holds(section: Any, values: dict[str, str], message: str,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as raised:
        load_settings(section)
    assert message in str(raised.value)
    assert not traces(str(raised.value).encode())


def test_a_pull_request_needs_no_number_for_the_rest_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULL_REQUEST", raising=False)
    monkeypatch.setenv("GITHUB_TOKEN", f"{SECRET}\n")
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    assert load_settings(environment.GitHub).github_token.get_secret_value() == SECRET


@pytest.mark.parametrize("key", ["plain", "plain\n", " plain\r\n", "mit Größe%@'\"", "ÿ¿"])
def test_api_and_automation_agree_on_the_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one sends the other takes."""
    monkeypatch.setenv("API_KEY", key)
    expected = load_settings(Settings).api_key
    assert expected
    sent: list[bytes] = []
    real: Callable[..., None] = http.client.HTTPConnection.putheader

    def spy(self: http.client.HTTPConnection, name: str, *values: str) -> None:
        if name.lower() == "x-api-key":
            sent.extend(value.encode("latin-1") for value in values)
        real(self, name, *values)

    monkeypatch.setattr(http.client.HTTPConnection, "putheader", spy)
    with hostile("well") as (server, _):
        assert smoke_test.ask(hub.Live(server.url, None), "/ready") == (200, {})
    [given] = sent
    check_key(given, expected.get_secret_value().encode(), True)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_learned", set())
