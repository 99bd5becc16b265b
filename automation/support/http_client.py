"""HTTP requests that carry a secret: it stays with the host that it is meant for."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

SECRET_HEADERS = ("Authorization", "X-api-key", "Cookie")  # in the spelling of urllib.request.Request
PORTS = {"http": 80, "https": 443}
HANDLERS = (urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler,
            urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor)


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def json_request(url: str, body: dict[str, Any] | None, headers: dict[str, str], method: str | None = None) -> Request:
    """A request whose body, if there is one, is JSON; `method` is GET without and POST with a body unless it is named."""
    return Request(url, json.dumps(body).encode() if body else None, headers, method=method)


class SecretsStay(urllib.request.HTTPRedirectHandler):
    """Follows redirects, to another host without the headers that hold secrets."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        redirected = super().redirect_request(req, fp, code, msg, headers, newurl)
        if redirected and origin(newurl) != origin(req.full_url):
            for name in SECRET_HEADERS:
                redirected.remove_header(name)
        return redirected


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: a redirect is an HTTPError."""

    def redirect_request(self, *_: Any) -> None:
        return None


def open_url(request: Request, seconds: float, redirects: bool = True) -> HTTPResponse:
    """The answer; raises what urllib.request.urlopen raises. Knows HTTP and HTTPS alone, and no files."""
    opener = urllib.request.OpenerDirector()
    for handler in HANDLERS:
        opener.add_handler(handler())
    opener.add_handler(SecretsStay() if redirects else NoRedirect())
    answer: HTTPResponse = opener.open(request, timeout=seconds)
    return answer
