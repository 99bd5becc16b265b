"""What a route asks of a request before it reads the body: the API key, and not to be too large.

FastAPI's own means, a dependency and `max_body_size`, would cost a third of the requests per second.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

HEADER = "X-API-Key"
OPEN = ("/", "/health", "/ready", "/metrics")  # as are the docs, which are no APIRoute
NEVER_OPEN = ("/model/reload",)
TOO_LARGE = "Content Too Large"


@dataclass(frozen=True)
class Limits:
    """The key, None where everybody may ask, and the most bytes of a body."""

    key: bytes | None
    most: int


class Guarded(APIRoute):
    """A route that holds requests to the app's `state.limits`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits: Limits = scope["app"].state.limits
        headers = dict(reversed(scope["headers"]))
        if self.path not in OPEN:
            check_key(headers.get(b"x-api-key", b""), limits.key, self.path in NEVER_OPEN)
        length = headers.get(b"content-length")
        if length is None:
            receive = counted(receive, limits.most)
        elif int(length) > limits.most:  # the server reads no more than it says
            raise HTTPException(413, TOO_LARGE)
        await super().handle(scope, receive, send)


def check_key(given: bytes, key: bytes | None, needed: bool) -> None:
    """Raise 401 or 403."""
    if key is None and needed:
        raise HTTPException(403, "set API_KEY to use this")
    if key is not None and not hmac.compare_digest(given, key):
        raise HTTPException(401, f"wrong or missing {HEADER}")


def counted(receive: Receive, most: int) -> Receive:
    """For a body of unknown length."""
    left = most

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, TOO_LARGE)
        return message

    return receive_some


def guard(app: FastAPI, limits: Limits) -> None:
    """Hold every route that is added from now on to the limits, and have the docs say where the key is asked for."""
    app.state.limits = limits
    app.router.route_class = Guarded
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        schema = plain()
        schema["components"]["securitySchemes"] = {"APIKeyHeader": {"type": "apiKey", "in": "header", "name": HEADER}}
        for path, operations in schema["paths"].items():
            if path in NEVER_OPEN or (limits.key and path not in OPEN):
                for operation in operations.values():
                    operation["security"] = [{"APIKeyHeader": []}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
