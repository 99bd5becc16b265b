"""Tells people what happened, by Slack, by mail, or both: python -m automation.notify --subject TEXT [--body-file FILE].

The body is Markdown, from the file or standard input. Slack needs SLACK_WEBHOOK_URL. Mail needs SMTP_HOST, MAIL_FROM and MAIL_TO
(several separated by commas), and may have SMTP_PORT (587), SMTP_USER and SMTP_PASSWORD; it goes over TLS from the start on port
465, with STARTTLS where the server offers it, and never sends a password in the clear. Without either it says so and ends well;
ends with 1 where one fails, after it has tried the other.
"""

from __future__ import annotations

import argparse
import re
import smtplib
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from automation.support import environment, http_client
from demand.schema.errors import UserError
from workspace.run.command import run_command
from workspace.secrets.redaction import redact
from workspace.secrets.settings import load_settings

SECONDS = 20.0  # for a connection, and for each answer
MOST = 35_000  # characters of a Slack message; longer ones are cut there
TLS_PORT = 465
Channel = Callable[[str, str], str | None]  # what was done, in words; None where it is not set up


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(markdown: str) -> str:
    """GitHub's Markdown as Slack's: its marks for bold, headings, links and bullets; tables in fixed width, code as it is."""
    lines, fenced, table = [], False, False
    for line in map(escaped, markdown.splitlines()):
        row = line.lstrip().startswith("|") and not fenced
        if row != table:
            lines.append("```")
            table = row
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        lines.append("```" if fence else line if fenced or row else inline(line))
    return "\n".join([*lines, *["```"] * (fenced or table)])


def inline(line: str) -> str:
    """A line outside of code and tables."""
    def styled(part: str) -> str:
        part = re.sub(r"^(\s*)[-*+] ", r"\1• ", part)
        part = re.sub(r"!?\[([^\]]*)\]\(([^)\s]+)\)", r"<\2|\1>", part)
        part = re.sub(r"(?<![*\w])\*([^*\s](?:[^*]*[^*\s])?)\*(?![*\w])", r"_\1_", part)
        return re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"*\1*", part)

    if heading := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
        return f"*{heading[1].replace('**', '')}*"
    return "".join(part if part.startswith("`") else styled(part) for part in re.split(r"(`[^`]*`)", line))


def slack(subject: str, body: str) -> str | None:
    """Post to the incoming webhook, and nowhere else: a redirect is an error. Raises OSError or ValueError."""
    webhook = load_settings(environment.Slack).slack_webhook_url
    if not webhook:
        return None
    text = f"*{escaped(subject)}*\n{mrkdwn(body)}".strip()
    if len(text) > MOST:
        text = f"{text[:MOST]}\n… ({len(text) - MOST:,} characters more)"
    request = http_client.json_request(webhook.get_secret_value(), {"text": text},
                                       {"Content-Type": "application/json; charset=utf-8"})
    with http_client.open_url(request, SECONDS, redirects=False) as answer:
        answer.read()
    return "told Slack"


def letter(settings: environment.Mail, subject: str, body: str) -> EmailMessage:
    """The mail, as plain text."""
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"], message["To"] = settings.mail_from, settings.mail_to
    if not all(address.domain for header in ("From", "To") for address in message[header].addresses or [Address()]):
        raise UserError("MAIL_FROM or MAIL_TO is no list of addresses")
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=message["From"].addresses[0].domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body or subject)
    return message


def mail(subject: str, body: str) -> str | None:
    """Send the mail. Raises OSError, SMTPException or ValueError."""
    settings = load_settings(environment.Mail)
    if not settings.smtp_host:
        return None
    message = letter(settings, subject, body)
    with connected(settings.smtp_host, settings.smtp_port) as server:
        if settings.smtp_user:
            if not isinstance(server.sock, ssl.SSLSocket):
                raise UserError("the server offers no encryption, so no password is sent to it")
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            server.login(settings.smtp_user.get_secret_value(), password)
        refused = server.send_message(message)
    if refused:
        raise UserError(f"the server refused {len(refused)} of the recipients")
    return "sent the mail"


def connected(host: str, port: int) -> smtplib.SMTP:
    """A server, encrypted if it can be."""
    context = ssl.create_default_context()
    if port == TLS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def why(error: Exception) -> str:
    """The reason in one line, without anything that the settings hold: the webhook's address is a secret."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, status {error.smtp_code}"
    if isinstance(error, urllib.error.URLError):
        return why(error.reason) if isinstance(error.reason, Exception) else "unreachable"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, smtplib.SMTPException):
        return error.strerror
    return type(error).__name__


CHANNELS: dict[str, Channel] = {"Slack": slack, "mail": mail}


def notify(subject: str, body: str) -> list[str]:
    """Send to every channel, whatever the others do; returns the names of those that failed."""
    sent, failed = [], []
    for name, send in CHANNELS.items():
        try:
            if done := send(redact(subject), redact(body)):
                sent.append(name)
                print(done)
        except Exception as error:
            failed.append(name)
            print(redact(f"{name} was not told: {why(error)}"), file=sys.stderr)
    if not sent and not failed:
        print("nobody is told: neither SLACK_WEBHOOK_URL nor SMTP_HOST is set")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subject", required=True)
    parser.add_argument("--body-file", type=Path, metavar="FILE", help="Markdown; standard input where it is left out")
    options = parser.parse_args()
    try:
        body = options.body_file.read_text(encoding="utf-8") if options.body_file else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the body cannot be read: {error}") from None
    if notify(options.subject, body):
        sys.exit(1)


if __name__ == "__main__":
    run_command(main)
