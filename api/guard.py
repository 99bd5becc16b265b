"""The API key: asked for by the route itself, before a body is read. A FastAPI dependency would cost a fifth of the requests."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

HEADER = "X-API-Key"
OPEN = ("/", "/health", "/ready", "/metrics")  # as are the docs, which are no APIRoute
NEVER_OPEN = ("/model/reload",)


class Guarded(APIRoute):
    """A route that lets pass who knows the app's `state.key`; where that is None everybody, but to what is never open."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.path not in OPEN:
            check(scope, scope["app"].state.key, self.path in NEVER_OPEN)
        await super().handle(scope, receive, send)


def check(scope: Scope, key: bytes | None, needed: bool) -> None:
    """Raise 401 or 403."""
    if key is not None:
        given = next((value for name, value in scope["headers"] if name == b"x-api-key"), b"")
        if not hmac.compare_digest(given, key):
            raise HTTPException(401, f"wrong or missing {HEADER}")
    elif needed:
        raise HTTPException(403, "set API_KEY to use this")


def guard(app: FastAPI, key: str | None) -> None:
    """Make every route that is added from now on ask for the key, and the docs say so."""
    app.state.key = key.encode() if key else None
    app.router.route_class = Guarded
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        schema = plain()
        schema["components"]["securitySchemes"] = {"APIKeyHeader": {"type": "apiKey", "in": "header", "name": HEADER}}
        for path, operations in schema["paths"].items():
            if path in NEVER_OPEN or (key and path not in OPEN):
                for operation in operations.values():
                    operation["security"] = [{"APIKeyHeader": []}]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
