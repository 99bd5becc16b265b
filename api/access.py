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

from api import schemas

HEADER = "X-API-Key"
OPEN = ("/", "/health", "/ready", "/metrics")  # as are the docs, which are no APIRoute
NEVER_OPEN = ("/model/reload",)
SMALLER = {"/predict": 128_000, "/forecast/{store_id}/{item_id}": 1_000_000}  # bytes: 3,660 days of sales, and 100 columns


@dataclass(frozen=True)
class Limits:
    """The key, None where everybody may ask, and the most bytes of a body, which some routes need less of."""

    key: bytes | None
    most: int

    def of(self, path: str) -> int:
        return min(self.most, SMALLER.get(path, self.most))


class Guarded(APIRoute):
    """A route that holds requests to the app's `state.limits`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits: Limits = scope["app"].state.limits
        headers = dict(reversed(scope["headers"]))
        if self.path not in OPEN:
            check_key(headers.get(b"x-api-key", b""), limits.key, self.path in NEVER_OPEN)
        length, most = headers.get(b"content-length"), limits.of(self.path)
        if length is None:
            receive = counted(receive, most)
        elif int(length) > most:  # the server reads no more than it says
            raise too_large(most)
        await super().handle(scope, receive, send)


def check_key(given: bytes, key: bytes | None, needed: bool) -> None:
    """Raise 401 or 403."""
    if key is None and needed:
        raise HTTPException(403, "set API_KEY to use this")
    if key is not None and not hmac.compare_digest(given, key):
        raise HTTPException(401, f"wrong or missing {HEADER}")


def too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {most:,} bytes")


def counted(receive: Receive, most: int) -> Receive:
    """For a body of unknown length."""
    left = most

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large(most)
        return message

    return receive_some


def guard(app: FastAPI, limits: Limits) -> None:
    """Hold every route that is added from now on to the limits, and have the docs say where the key is asked for."""
    app.state.limits = limits
    app.router.route_class = Guarded
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        schema = plain()
        schema["components"]["schemas"] |= schemas.DEFINITIONS["$defs"]
        schema["components"]["securitySchemes"] = {"APIKeyHeader": {"type": "apiKey", "in": "header", "name": HEADER}}
        for path, operations in schema["paths"].items():
            if path in NEVER_OPEN or (limits.key and path not in OPEN):
                for operation in operations.values():
                    operation["security"] = [{"APIKeyHeader": []}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
