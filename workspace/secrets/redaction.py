"""What is a secret, and texts without them. What a process prints and logs: redacted_output.py.

A secret is the value of an environment variable in SECRETS, or one that `learn` was given. `redact` replaces it by *** in any
text, also where it is percent-encoded, escaped (repr, JSON, HTML) or in Base64, and whatever stands before the @ of an address.
"""

from __future__ import annotations

import base64
import html
import os
import re
import urllib.parse
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationInfo

HIDDEN = "***"
SECRETS = ("API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SLACK_WEBHOOK_URL", "SMTP_USER", "SMTP_PASSWORD", "GITHUB_TOKEN",
           "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "DAGSHUB_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
           "AWS_SESSION_TOKEN", "SOURCE_GIT", "SOURCE_REMOTE_CONFIG", "GRAFANA_PASSWORD")
SHORTEST = 4  # characters: to hide a shorter value would hide half of every text
PUBLIC = ("url", "endpointurl", "region", "profile", "use_ssl", "ssl_verify")  # settings of a DVC remote that are no secrets
DVC_LOCAL = Path(".dvc/config.local")
DVC_SECRET = re.compile(r"(?m)^\s*(?:access_key_id|\w*(?:secret|token|password|account_key|connection_string)\w*)\s*=\s*(.+)$")
URL_USER = re.compile(r"(?<=://)[^/\s'\"]+@")
AUTHORIZATION = re.compile(r"(?i)(authorization['\"]?\s*[:=,]\s*b?['\"]?(?:bearer|basic|token)\s+)[^\s'\",]+")
_learned: set[tuple[str, str]] = set()


def cleaned(value: str) -> str:
    """A secret without the white space around it; a ValueError, which does not hold it, where that is none or has line breaks."""
    value = value.strip()
    if not value:
        raise ValueError("it is blank")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value):
        raise ValueError("it holds a control character, such as a line break")
    return value


def cleaned_secret(secret: SecretStr, field: ValidationInfo) -> SecretStr:
    """The same of a pydantic secret, which `redact` knows from then on."""
    learn(secret.get_secret_value(), str(field.field_name).upper())
    return SecretStr(cleaned(secret.get_secret_value()))


def fit_for_a_header(secret: SecretStr) -> SecretStr:
    if any(ord(character) > 255 for character in secret.get_secret_value()):
        raise ValueError("it holds a character outside of Latin-1")
    return secret


SecretText = Annotated[SecretStr, AfterValidator(cleaned_secret)]  # the type of every setting that is a secret or may hold one
Secret = Annotated[SecretText, AfterValidator(fit_for_a_header)]  # of those that an HTTP header carries


def learn(value: str, name: str = "") -> None:
    """Have `redact` hide a secret that is in no environment variable, such as a token that was just issued."""
    _learned.add((name, value))


def read_environment() -> None:
    """Strip the secrets in the environment, for the libraries that read them there; learn those of DVC's local configuration."""
    for name in SECRETS:
        if os.environ.get(name, "").strip():  # one that is blank is left for the settings to refuse
            os.environ[name] = os.environ[name].strip()
    if DVC_LOCAL.is_file():
        for value in DVC_SECRET.findall(DVC_LOCAL.read_text(encoding="utf-8", errors="replace")):
            learn(value.strip().strip("'\""))


def redact(text: str) -> str:
    """The text without secrets."""
    pattern = secret_pattern(secret_values(), SHORTEST)
    text = pattern.sub(HIDDEN, text) if pattern else text
    return AUTHORIZATION.sub(rf"\1{HIDDEN}", URL_USER.sub(f"{HIDDEN}@", text))


def holds_secret(text: str) -> bool:
    """Whether a secret that is too long to be there by chance stands in the text."""
    pattern = secret_pattern(secret_values(), 2 * SHORTEST)
    return bool(pattern and pattern.search(text))


def secret_values() -> tuple[tuple[str, str], ...]:
    """Name and value of every secret that is known."""
    return (*sorted(_learned), *((name, os.environ[name]) for name in SECRETS if os.environ.get(name)))


@lru_cache(maxsize=8)
def secret_pattern(values: tuple[tuple[str, str], ...], shortest: int = SHORTEST) -> re.Pattern[str] | None:
    """What matches any of these (name, value) of at least `shortest` characters, longest first; None without values."""
    parts = {part for name, value in values for part in secret_parts(name, value.strip()) if len(part) >= shortest}
    forms = {form for part in parts for form in (spelled(part), *in_base64(part))}
    return re.compile("|".join(sorted(forms, key=len, reverse=True))) if forms else None


def secret_parts(name: str, value: str) -> Iterator[str]:
    """The parts of a setting that are secrets: all of it, but of an address neither host nor the path of a repository."""
    if name == "SOURCE_GIT" and re.search(r"[/:]", value):
        yield from parts_of_url(value)
    elif name == "SOURCE_REMOTE_CONFIG":
        for setting, _, content in (pair.partition("=") for pair in value.split()):
            yield from parts_of_url(content) if setting in PUBLIC else (content or setting,)
    else:
        yield from (value, *value.splitlines())
        if name == "SLACK_WEBHOOK_URL":
            path = value.partition("://")[2].partition("/")[2]
            yield from (path, path.rpartition("/")[2])


def parts_of_url(url: str) -> Iterator[str]:
    """User, password and query of an address, as they stand there and decoded."""
    _, scheme, rest = url.partition("://")
    place, _, query = rest.partition("?")
    if scheme and "@" in place:
        user = place.rpartition("@")[0]
        for part in (user, *user.split(":", 1)):
            yield from (part, urllib.parse.unquote(part))
    yield from (query, *(value for _, value in urllib.parse.parse_qsl(query)))


def spelled(secret: str) -> str:
    """A pattern of the secret in any spelling of each of its characters."""
    return "".join(spelled_character(character) for character in secret)


@lru_cache(maxsize=512)
def spelled_character(character: str) -> str:
    """As it is, percent-encoded, or as Python, JSON and HTML escape it."""
    code, utf8 = ord(character), character.encode("utf-8", "surrogatepass")
    if character.isalnum() and code < 128:
        return character
    forms = {re.escape(character), "".join(f"%(?i:{byte:02x})" for byte in utf8), rf"\\+u(?i:{code:04x})",
             rf"\\+x(?i:{code:02x})", "".join(rf"\\+x(?i:{byte:02x})" for byte in utf8), rf"&#0*{code};",
             rf"&#[xX]0*(?i:{code:x});", re.escape(html.escape(character))}
    if code < 256:
        forms.add(f"%(?i:{code:02x})")
    if character.isspace():
        forms |= {r"\s+", r"\+", re.escape(repr(character)[1:-1]).replace(r"\\", r"\\+")}
    if character in "\\'\"/":
        forms.add(rf"\\+{re.escape(character)}")
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


def in_base64(secret: str) -> Iterator[str]:
    """Patterns of the secret inside of anything in Base64, wherever it begins there: as in `Authorization: Basic`."""
    content = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = base64.b64encode(bytes(before) + content).decode()
        known = whole[(0, 2, 3)[before] : len(whole) - (0, 3, 2)[(before + len(content)) % 3]]
        if len(known) >= 2 * SHORTEST:
            yield re.escape(known).replace(r"\+", "[+-]").replace("/", "[/_]")
