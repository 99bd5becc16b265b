"""What automation reads from the environment: one section per service, so that one wrong setting stops no other."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workspace.secrets.redaction import Secret

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Section(BaseSettings):
    """The settings of one service; an empty variable counts as none."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True,
                                      str_strip_whitespace=True)


class SpaceAccess(Section):
    """For the Hugging Face Hub, and for the API in a Space."""

    hf_token: Secret | None = Field(None, description="may write to the Space")
    api_key: Secret | None = Field(None, description="that the API in the Space asks for")


class Slack(Section):
    """For an incoming webhook."""

    slack_webhook_url: Secret | None = None

    @model_validator(mode="after")
    def encrypted(self) -> Self:
        if self.slack_webhook_url and not is_encrypted(self.slack_webhook_url.get_secret_value()):
            raise ValueError("SLACK_WEBHOOK_URL is no address that begins with https://")
        return self


class Mail(Section):
    """For a mail server."""

    smtp_host: str | None = None
    smtp_port: int = Field(587, gt=0, lt=65536)
    smtp_user: Secret | None = None
    smtp_password: Secret | None = None
    mail_from: str = ""
    mail_to: str = Field("", description="several are separated by commas")

    @model_validator(mode="after")
    def addressed(self) -> Self:
        missing = [name.upper() for name in ("mail_from", "mail_to") if not getattr(self, name)]
        if self.smtp_host and missing:
            raise ValueError(f"SMTP_HOST is set, {' and '.join(missing)} not")
        return self


class GitHub(Section):
    """For GitHub's API, as GitHub Actions sets it."""

    github_token: Secret
    github_repository: str = Field(description="OWNER/NAME")
    github_api_url: str = "https://api.github.com"

    @model_validator(mode="after")
    def encrypted(self) -> Self:
        if not is_encrypted(self.github_api_url):
            raise ValueError("GITHUB_API_URL is no address that begins with https://")
        return self


class PullRequest(GitHub):
    """For the comments of a pull request."""

    pull_request: int = Field(description="its number")


class Storage(Section):
    """For the DVC remote."""

    dagshub_token: Secret | None = None
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None


def is_encrypted(url: str) -> bool:
    """Whether a secret may be sent to an address: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
