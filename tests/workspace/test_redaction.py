"""Redaction: a secret is hidden however it is spelled, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from tests.support.examples import ROOT
from workspace.secrets import redacted_output, redaction

SPELLINGS = (str, repr, lambda text: repr(text.encode()), lambda text: repr(repr(text)), json.dumps, html.escape,
             lambda text: json.dumps(json.dumps(text)), lambda text: json.dumps(text, ensure_ascii=False),
             lambda text: urllib.parse.quote(text, safe=""), urllib.parse.quote, urllib.parse.quote_plus)
AROUND = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), max_size=5)


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in redaction.SECRETS:
        monkeypatch.delenv(name, raising=False)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["C", "Z"]), min_size=6), AROUND, AROUND)
def test_a_secret_is_hidden_in_every_spelling(secret: str, before: str, after: str) -> None:
    pattern = redaction.secret_pattern((("API_KEY", secret),))
    assert pattern
    for spell in SPELLINGS:
        text = f"{before} {spell(f'<{secret}>')} {after}"
        assert pattern.search(text), text
        left = pattern.sub("***", text).removeprefix(f"{before} ").removesuffix(f" {after}")
        assert re.fullmatch(r"""[b'"\\]*(<|&lt;|%3C)\*\*\*(>|&gt;|%3E)['"\\]*""", left), left


@given(st.binary(max_size=20), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=9), st.binary(max_size=20))
def test_a_secret_is_hidden_in_base64(before: bytes, secret: str, after: bytes) -> None:
    """All but what the neighbours' bits share is gone, wherever the secret begins."""
    pattern = redaction.secret_pattern((("API_KEY", secret),))
    assert pattern
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        left = pattern.sub("", encode(before + secret.encode() + after).decode())
        assert len(left) <= len(encode(before + after)) + 8


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6), st.text())
def test_other_text_stays(secret: str, text: str) -> None:
    assume(secret not in text)
    pattern = redaction.secret_pattern((("API_KEY", secret),))
    assert pattern
    assert pattern.sub("***", text) == text


@pytest.mark.parametrize(("name", "value", "text", "redacted"), [
    ("SOURCE_GIT", "https://me:pa%40ss@host/owner/repo.git", "cannot read https://me:pa%40ss@host/owner/repo.git",
     "cannot read https://***@host/owner/repo.git"),
    ("SOURCE_GIT", "https://me:pa%40ss@host/owner/repo.git", "401 for pa@ss at host", "401 for *** at host"),
    ("SOURCE_GIT", "https://t0kenvalue@host/repo.git", "user t0kenvalue at /repo.git", "user *** at /repo.git"),
    ("SOURCE_GIT", "https://host/repo.git?private_token=t0kenvalue", "no t0kenvalue", "no ***"),
    ("SOURCE_GIT", "git@host:owner/repo.git", "git@host:owner/repo.git is gone", "git@host:owner/repo.git is gone"),
    ("SOURCE_GIT", "/srv/repo", "/srv/repo is gone", "/srv/repo is gone"),
    ("SOURCE_REMOTE_CONFIG", "endpointurl=https://me:hush1@host access_key_id=KEYID secret_access_key=a=b+c/d",
     "https://host KEYID a=b+c/d hush1", "https://host *** *** ***"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/hush", "POST /services/T0/B0/hush to hooks.slack.com",
     "POST /*** to hooks.slack.com"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/hush", "hush", "***"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/a@hush", "at hooks.slack.com", "at hooks.slack.com"),
    ("API_KEY", "line one\nline two", "line two", "***"),
    ("API_KEY", "abc", "abc", "abc"),
    ("PATH", "value", "value git push https://x:y@host/ failed", "value git push https://***@host/ failed"),
    ("PATH", "value", "Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ("PATH", "value", "{'Authorization': b'Basic YTpi'}", "{'Authorization': b'Basic ***'}"),
    ("PATH", "value", "the token authentication, basic encryption", "the token authentication, basic encryption"),
])
def test_what_is_hidden_of_a_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str, redacted: str) -> None:
    monkeypatch.setenv(name, value)
    assert redaction.redact(text) == redacted


class Settings(BaseModel):
    key: redaction.Secret


@pytest.mark.parametrize("value", ["a\nb-hush", "a\x00b-hush", "a\x7fb-hush", "€-hush", "a\u2028b-hush"])
def test_a_secret_that_no_header_can_carry_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(key=value)
    assert "hush" not in raised.value.errors(include_input=False)[0]["msg"]


def test_a_secret_is_stripped_and_known() -> None:
    assert Settings(key=" \thush-hush\r\n").key.get_secret_value() == "hush-hush"
    assert redaction.redact("it is hush-hush") == "it is ***"


def test_the_secrets_of_dvc_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config.local").write_text("['remote \"a\"']\n  access_key_id = KEYID\n  secret_access_key = \"hush#1\"\n")
    monkeypatch.setenv("HF_TOKEN", "hf_abc\n")
    redaction.read_environment()
    assert redaction.redact("KEYID and hush#1 and there") == "*** and *** and there"
    assert redaction.os.environ["HF_TOKEN"] == "hf_abc"


COMMAND = """
import sys, warnings
from workspace.run.command import run_command
from demand.schema.errors import UserError
def main():
    print("out", "hush-hush")
    warnings.warn("hush-hush")
    kind = sys.argv[1]
    try:
        raise ValueError("Invalid header value b'hush-hush\\\\n'")
    except ValueError as error:
        if kind == "chained": raise {"a": KeyError, "b": RuntimeError}["b"]("b'hush-hush'") from error
        if kind == "user": raise UserError(f"wrong: {error}") from None
        if kind == "stopped": raise KeyboardInterrupt
        raise
run_command(main)
"""


@pytest.mark.parametrize(("kind", "code", "last"), [
    ("plain", 1, "ValueError: Invalid header value b'***\\n'"), ("chained", 1, "RuntimeError: b'***'"),
    ("user", 1, "error: wrong: Invalid header value b'***\\n'"), ("stopped", 130, "interrupted")])
def test_no_command_prints_a_secret(kind: str, code: int, last: str) -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND, kind], cwd=ROOT, env={"API_KEY": "hush-hush\n"}, capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "out ***\n")
    assert done.stderr.splitlines()[-1] == last
    assert "hush" not in done.stderr.replace('"hush-hush"', "").replace("b'hush-hush\\\\", "").replace("\"b'hush-hush'\"", "")


def test_no_logger_tells_a_secret(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("API_KEY", "hush-hush")
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    redacted_output.redact_logs()
    redacted_output.redact_logs()
    log = logging.getLogger("anything")
    log.warning("of %s: %d", "hush-hush", 3)
    log.warning("%s", ValueError("hush-hush"))
    try:
        raise ValueError("hush-" + "hush")
    except ValueError:
        log.exception("it failed")
    assert caplog.messages == ["of ***: 3", "***", "it failed"]
    assert "ValueError: ***" in caplog.text
    assert "hush-hush" not in caplog.text
