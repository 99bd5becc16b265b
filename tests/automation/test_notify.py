"""Notification, to a real HTTP server and a real SMTP server."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from automation import notify
from tests.support.examples import ROOT
from tests.support.ports import free_port

SECRET = "T000/B000/very-secret"
PASSWORD = "a-password"
NO_ADDRESS = "SLACK_WEBHOOK_URL is no address that begins with https://: correct it where it is set"
BODY = "## Retrained\n\n**SMAPE** 13.27 → 12.90, see [the run](https://example.org/run_1)\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"


def run(environment: dict[str, str], *arguments: str, body: str = BODY) -> subprocess.CompletedProcess[str]:
    """The command, with nothing in its environment but that."""
    done = subprocess.run([sys.executable, "-m", "automation.notify", "--subject", "Forecasts: done & <dusted>", *arguments],
                          cwd=ROOT, env={"PYTHONUTF8": "1", **environment}, input=body, capture_output=True, text=True,
                          check=False, timeout=60)
    assert SECRET not in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done


class Webhook(ThreadingHTTPServer):
    """Takes messages as Slack does."""

    status = 200

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/{SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        assert self.path.endswith(SECRET)
        assert self.headers["Content-Type"].startswith("application/json")
        self.server.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


class Letters:
    """Takes mails; refuses those to nobody@."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.encrypted: list[bool] = []
        self.users: list[bytes] = []

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Any, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        refusal = f"535 no {data.login.decode()} with {data.password.decode()}, not {PASSWORD}"  # a server that tells too much
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False, message=refusal)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def letters() -> Letters:
    return Letters()


def settings(server: Controller, to: str = "b@example.org, Carla <c@example.org>") -> dict[str, str]:
    return {"SMTP_HOST": server.hostname, "SMTP_PORT": str(server.port), "MAIL_FROM": "Forecasts <a@example.org>", "MAIL_TO": to}


@pytest.fixture
def post(letters: Letters) -> Iterator[Controller]:
    """A server without encryption."""
    server = Controller(letters, hostname="127.0.0.1", port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself; and its key."""
    place = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"], cwd=place, check=True,
                   capture_output=True)
    return place / "cert.pem", place / "key.pem"


@pytest.fixture
def safe_post(letters: Letters, certificate: tuple[Path, Path]) -> Iterator[Controller]:
    """A server that offers STARTTLS and wants a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    server = Controller(letters, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
                        auth_required=True, authenticator=letters.authenticate)
    server.start()
    yield server
    server.stop()


def test_nothing_is_configured() -> None:
    done = run({"SLACK_WEBHOOK_URL": "", "SMTP_HOST": ""})
    assert done.returncode == 0
    assert done.stdout == "nobody is told: neither SLACK_WEBHOOK_URL nor SMTP_HOST is set\n"


def test_slack_and_mail_are_told(webhook: Webhook, post: Controller, letters: Letters, tmp_path: Path) -> None:
    file = tmp_path / "body.md"
    file.write_text(BODY, encoding="utf-8")
    done = run({"SLACK_WEBHOOK_URL": webhook.url, **settings(post)}, "--body-file", str(file), body="")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "told Slack\nsent the mail\n"
    assert webhook.messages == [{"text": "*Forecasts: done &amp; &lt;dusted&gt;*\n*Retrained*\n\n*SMAPE* 13.27 → 12.90, see "
                                 "<https://example.org/run_1|the run>\n\n```\n| a | b |\n| - | - |\n| 1 | 2 |\n```"}]
    [mail] = letters.mails
    assert mail["Subject"] == "Forecasts: done & <dusted>"
    assert [address.addr_spec for address in mail["To"].addresses] == ["b@example.org", "c@example.org"]
    assert mail["From"].addresses[0].addr_spec == "a@example.org"
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == BODY
    assert letters.encrypted == [False]


def test_a_mail_with_a_password_is_encrypted(safe_post: Controller, letters: Letters, certificate: tuple[Path, Path]) -> None:
    user = {"SMTP_USER": "me", "SMTP_PASSWORD": PASSWORD}
    done = run({**settings(safe_post), **user, "SSL_CERT_FILE": str(certificate[0])})
    assert done.returncode == 0, done.stderr
    assert letters.encrypted == [True]
    assert letters.users == [b"me"]
    untrusted = run({**settings(safe_post), **user})
    assert untrusted.returncode == 1
    assert untrusted.stderr.startswith("mail was not told: ")
    wrong = run({**settings(safe_post), **user, "SMTP_PASSWORD": "another", "SSL_CERT_FILE": str(certificate[0])})
    assert (wrong.returncode, wrong.stderr) == (1, "mail was not told: SMTPAuthenticationError, status 535\n")
    assert len(letters.mails) == 1


def test_a_password_is_not_sent_in_the_clear(post: Controller, letters: Letters) -> None:
    done = run({**settings(post), "SMTP_USER": "me", "SMTP_PASSWORD": PASSWORD})
    assert (done.returncode, done.stderr) == (
        1, "mail was not told: the server offers no encryption, so no password is sent to it\n")
    assert not letters.mails


def test_one_that_fails_does_not_keep_the_other(webhook: Webhook, post: Controller, letters: Letters) -> None:
    webhook.status = 500
    done = run({"SLACK_WEBHOOK_URL": webhook.url, **settings(post)})
    assert (done.returncode, done.stdout, done.stderr) == (1, "sent the mail\n", "Slack was not told: status 500\n")
    assert len(letters.mails) == 1
    webhook.status = 200
    done = run({"SLACK_WEBHOOK_URL": webhook.url, **settings(post, "nobody@example.org")})
    assert (done.returncode, done.stdout) == (1, "told Slack\n")
    assert done.stderr == "mail was not told: SMTPRecipientsRefused\n"
    done = run({"SLACK_WEBHOOK_URL": webhook.url, **settings(post, "nobody@example.org, b@example.org")})
    assert done.stderr == "mail was not told: the server refused 1 of the recipients\n"
    assert [address.addr_spec for address in letters.mails[-1]["To"].addresses][-1] == "b@example.org"


def test_a_channel_whose_settings_are_wrong_does_not_keep_the_other(webhook: Webhook, post: Controller, letters: Letters) -> None:
    slack, mail = {"SLACK_WEBHOOK_URL": webhook.url}, settings(post)
    done = run({"SLACK_WEBHOOK_URL": f"https://hooks.slack.com/\n{SECRET}", **mail})
    assert (done.returncode, done.stdout) == (1, "sent the mail\n")
    assert done.stderr == ("Slack was not told: SLACK_WEBHOOK_URL: it holds a control character, such as a line break: "
                           "correct it where it is set\n")
    done = run({**slack, **mail, "MAIL_FROM": ""})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "told Slack\n", 1)
    done = run({"SLACK_WEBHOOK_URL": f" {webhook.url}\r\n", **mail, "SMTP_PORT": f"{post.port}\n"})
    assert (done.returncode, done.stdout) == (0, "told Slack\nsent the mail\n")
    assert (len(webhook.messages), len(letters.mails)) == (2, 2)


@pytest.mark.parametrize(("changes", "said"), [
    ({"MAIL_TO": ""}, "mail was not told: SMTP_HOST is set, MAIL_TO not: correct it where it is set"),
    ({"MAIL_TO": "b"}, "mail was not told: MAIL_FROM or MAIL_TO is no list of addresses"),
    ({"SMTP_PORT": "smtp"}, "mail was not told: SMTP_PORT: input should be a valid integer, unable to parse string as an "
                            "integer: correct it where it is set"),
    ({"SMTP_PORT": "1"}, "mail was not told: Connection refused"),
])
def test_wrong_settings(changes: dict[str, str], said: str, post: Controller) -> None:
    done = run({**settings(post), **changes})
    assert (done.returncode, done.stderr) == (1, said + "\n")


def test_no_file_to_read(tmp_path: Path) -> None:
    done = run({}, "--body-file", str(tmp_path / "none.md"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: the body cannot be read")


@pytest.mark.parametrize("address", [
    f"hooks.slack.com/{SECRET}", f"file:///{SECRET}", f"http://hooks.slack.com/{SECRET}", f"https:///{SECRET}",
    f"data:,{SECRET}", f"https://[{SECRET}"])
def test_a_webhook_that_is_no_encrypted_address_is_refused_and_kept_secret(address: str) -> None:
    done = run({"SLACK_WEBHOOK_URL": address})
    assert (done.returncode, done.stderr) == (1, f"Slack was not told: {NO_ADDRESS}\n")


@pytest.mark.parametrize(("markdown", "said"), [
    ("# One *two* **three**", "*One *two* three*"),
    ("**a b** and *c* and `**d** <e>`", "*a b* and _c_ and `**d** &lt;e&gt;`"),
    ("- one\n  * two\n+ three", "• one\n  • two\n• three"),
    ("snake_case, 2 * 3 * 4, a*b*c", "snake_case, 2 * 3 * 4, a*b*c"),
    ("![plot](p.png) [x](https://e.org/a_b_c)", "<p.png|plot> <https://e.org/a_b_c|x>"),
    ("```sh\n# **no** | change\n```\nend", "```\n# **no** | change\n```\nend"),
    ("| a |\n|---|\n| 1 |", "```\n| a |\n|---|\n| 1 |\n```"),
])
def test_markdown_as_slack_has_it(markdown: str, said: str) -> None:
    assert notify.mrkdwn(markdown) == said


def test_long_messages_are_cut(webhook: Webhook) -> None:
    assert run({"SLACK_WEBHOOK_URL": webhook.url}, body="x" * 50_000).returncode == 0
    [message] = webhook.messages
    assert len(message["text"]) < 40_000
    assert message["text"].endswith("characters more)")
