"""The canary in GitHub's API, Slack, mail and S3: whatever the other side does with a secret, it ends nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from canary import CANARIES, MODES, NOWHERE, Hostile, hostile, traces, traces_in
from examples import ROOT
from hub import free_port
from test_record import Clone

SECRETS = ("API_KEY", "HF_TOKEN", "SLACK_WEBHOOK_URL", "SMTP_USER", "SMTP_PASSWORD", "GITHUB_TOKEN", "DAGSHUB_TOKEN",
           "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Run:
    """One command in a directory of its own, with every file that it may write to; `leaks` is all that a canary was found in."""

    def __init__(self, place: Path, *command: str, body: str = "all well", leave_out: tuple[str, ...] = (),
                 **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "AWS_", "SMTP_", "HF_"))}
        files = {"GITHUB_OUTPUT": str(place / "github_output"), "GITHUB_STEP_SUMMARY": str(place / "github_summary")}
        done = subprocess.run([sys.executable, "-m", *command], cwd=place, input=body, capture_output=True, text=True,
                              env=kept | {"PYTHONPATH": str(ROOT), "HOME": str(place)} | files | environment, check=False,
                              timeout=120)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.leaks = {"output": traces((done.stdout + done.stderr).encode()), **traces_in(place, leave_out)}

    def fails_cleanly(self) -> bool:
        """With one line, no traceback, no trace of a canary."""
        assert self.leaks == {"output": []}, self.out + self.err
        assert self.code == 1, self.out + self.err
        assert "Traceback" not in self.err
        return True


@pytest.fixture(params=[(mode, kind) for mode in MODES for kind in CANARIES], ids=lambda both: "-".join(both))
def side(request: pytest.FixtureRequest) -> Iterator[tuple[Hostile, Hostile, str]]:
    """A hostile server, the other host, a canary: in each mode each canary."""
    mode, kind = request.param
    with hostile(mode) as (server, elsewhere):
        yield server, elsewhere, CANARIES[kind]


def test_github(side: tuple[Hostile, Hostile, str], tmp_path: Path) -> None:
    server, elsewhere, canary = side
    (tmp_path / "comment.md").write_text("the numbers")
    done = Run(tmp_path, "automation.comment_on_pr", "post", "--file", "comment.md", GITHUB_TOKEN=canary,
               GITHUB_API_URL=server.url, GITHUB_REPOSITORY="someone/demand", PULL_REQUEST="7")
    assert done.fails_cleanly()
    assert done.err.startswith("error: GitHub ")
    assert done.err.count("\n") == 1
    assert server.mode == "unreachable" or any(map(traces, server.received))  # it had a secret to echo
    assert bool(elsewhere.received) == (server.mode == "redirect")
    assert not any(map(traces, elsewhere.received))


def test_slack(side: tuple[Hostile, Hostile, str], tmp_path: Path) -> None:
    server, elsewhere, canary = side
    done = Run(tmp_path, "automation.notify", "--subject", "done", SLACK_WEBHOOK_URL=f"{server.url}/services/{canary}")
    assert done.fails_cleanly()
    assert done.err.startswith("Slack was not told: ")
    assert done.err.count("\n") == 1
    assert server.mode == "unreachable" or any(map(traces, server.received))
    assert not elsewhere.received  # neither the message nor the address


class Echo:
    """A mail server that says with its refusal what it was given."""

    def authenticate(self, _server: SMTP, _session: Any, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message=f"535 no {data.login.decode()} {data.password.decode()}")


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Controller, Path]]:
    import ssl

    place = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"], cwd=place, check=True,
                   capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    echo = Echo()
    server = Controller(echo, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
                        auth_required=True, authenticator=echo.authenticate)
    server.start()
    yield server, place / "cert.pem"
    server.stop()


@pytest.mark.parametrize("name", ["SMTP_USER", "SMTP_PASSWORD"])
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("trusted", [True, False])
def test_mail(trusted: bool, canary: str, name: str, post: tuple[Controller, Path], tmp_path: Path) -> None:
    server, certificate = post
    trust = {"SSL_CERT_FILE": str(certificate)} if trusted else {}
    user = {"SMTP_USER": "me", "SMTP_PASSWORD": "mine", name: canary}
    done = Run(tmp_path, "automation.notify", "--subject", "done", SMTP_HOST=server.hostname, SMTP_PORT=str(server.port),
               MAIL_FROM="a@example.org", MAIL_TO="b@example.org", **trust, **user)
    assert done.fails_cleanly()
    assert done.err.startswith("mail was not told: " + ("SMTPAuthenticationError, status 535\n" if trusted else ""))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("canary"))


@pytest.mark.parametrize(("mode", "kind"), [*zip(MODES, [*CANARIES, *CANARIES], strict=False)])
def test_s3_and_the_loop(mode: str, kind: str, clone: Clone) -> None:
    """The first step of the loop fails at the remote, and its message is sent to Slack, which fails as well."""
    canary = CANARIES[kind]
    with hostile(mode) as (server, elsewhere):
        clone.run("dvc", "remote", "add", "--force", "--default", "far", "s3://bucket")
        clone.run("dvc", "remote", "modify", "far", "endpointurl", server.url)
        secrets = {name: canary for name in SECRETS if name.startswith(("AWS_", "GITHUB_", "HF_", "API_"))}
        if mode == "redirect":  # aiobotocore, inside DVC, sends it on: without the secret key it opens nothing
            del secrets["AWS_SESSION_TOKEN"]
        done = Run(clone.root, "automation.run_loop", SLACK_WEBHOOK_URL=f"{server.url}/services/{canary}", **secrets,
                   AWS_MAX_ATTEMPTS="1", AWS_DEFAULT_REGION="us-east-1")
        assert done.fails_cleanly()
        assert "Slack was not told" in done.err
        assert "remote far" in done.err
        assert mode == "unreachable" or any(map(traces, server.received))
        assert not any(map(traces, elsewhere.received))


@pytest.mark.parametrize("mode", ["unreachable", "redirect", "exception"])
def test_a_push_and_its_pull_request(mode: str, tmp_path: Path) -> None:
    clone, canary = Clone(tmp_path), CANARIES["signs"]
    clone.changes(2)
    summary = clone.root / "reports/drift_summary.json"
    summary.write_text(summary.read_text().replace("errors are normal", f"b'{canary}' is wrong".replace('"', '\\"')))
    with hostile(mode) as (server, elsewhere):
        done = Run(clone.root, "automation.push_results", GITHUB_TOKEN=canary, GITHUB_API_URL=server.url,
                   RECORD_BY="pull-request", GITHUB_REPOSITORY="someone/demand", leave_out=("drift_summary.json", "/.git"))
        assert done.fails_cleanly()
        assert not any(map(traces, elsewhere.received))
    message = subprocess.run(["git", "log", "--format=%B"], cwd=clone.origin, capture_output=True, check=True, text=True).stdout
    assert not traces(message.encode())


@pytest.mark.parametrize("kind", CANARIES)
def test_dagshub(kind: str, clone: Clone) -> None:
    """The token is where it belongs, and nowhere else."""
    clone.run("dvc", "remote", "add", "--force", "dagshub", "s3://dvc")
    done = Run(clone.root, "automation.dvc_remote", "set", "someone", "demand", DAGSHUB_TOKEN=CANARIES[kind],
               leave_out=(".dvc/config.local",))
    assert (done.code, done.leaks) == (0, {"output": []}), done.err
    assert CANARIES[kind].strip()[:8] in (clone.root / ".dvc/config.local").read_text()
    wrong = Run(clone.root, "automation.dvc_remote", "repro", leave_out=(".dvc/config.local",), HTTPS_PROXY=NOWHERE)
    assert wrong.leaks == {"output": []}


COMMANDS = {"SLACK_WEBHOOK_URL": ("notify", "--subject", "x"), "SMTP_USER": ("notify", "--subject", "x"),
            "SMTP_PASSWORD": ("notify", "--subject", "x"), "GITHUB_TOKEN": ("comment_on_pr", "post", "--file", "comment.md"),
            "DAGSHUB_TOKEN": ("dvc_remote", "set", "a", "b"), "AWS_ACCESS_KEY_ID": ("dvc_remote", "check"),
            "AWS_SECRET_ACCESS_KEY": ("dvc_remote", "check"), "AWS_SESSION_TOKEN": ("dvc_remote", "push")}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("value", ["quokka71\nwombat82", "quokka71\x1bwombat82"], ids=["line break", "escape"])
def test_a_control_character_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "comment.md").write_text("the numbers")
    command, *arguments = COMMANDS[name]
    more = {"PULL_REQUEST": "7", "GITHUB_REPOSITORY": "someone/demand", "SMTP_HOST": "127.0.0.1", "MAIL_FROM": "a@b.org",
            "MAIL_TO": "a@b.org"}
    done = Run(tmp_path, f"automation.{command}", *arguments, **more, **{name: value})
    assert done.fails_cleanly()
    assert f"{name}: it holds a control character" in done.err
