"""GitHub's REST API with the token of a workflow: GITHUB_TOKEN, at GITHUB_API_URL."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any

from automation.support import environment, http_client
from workspace.secrets.settings import load_settings

PAGE = 100
SECONDS = 30.0


def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The answer to one request; an OSError (HTTPError where GitHub refuses) when there is none."""
    settings = load_settings(environment.GitHub)
    headers = {"Authorization": f"Bearer {settings.github_token.get_secret_value()}", "Accept": "application/vnd.github+json"}
    request = http_client.json_request(settings.github_api_url + path, body, headers, method)
    try:
        with http_client.open_url(request, SECONDS) as answer:
            return json.load(answer)
    except (HTTPException, ValueError) as error:
        raise OSError(f"it answers in no JSON: {type(error).__name__}") from None


def every_page(path: str) -> list[dict[str, Any]]:
    """All entries of a list, page by page."""
    entries: list[dict[str, Any]] = []
    while True:
        page = ask("GET", f"{path}?per_page={PAGE}&page={len(entries) // PAGE + 1}")
        entries += page
        if len(page) < PAGE:
            return entries
