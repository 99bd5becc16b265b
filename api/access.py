"""The API key, which a route asks for before it looks at method and body.

FastAPI's own means, a dependency of the routers, takes 35 µs more of a request's 140: with it `/predict` misses its target
(bench/serving.md).
"""

from __future__ import annotations

import hmac
from typing import ClassVar

from fastapi import HTTPException
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

HEADER = "X-API-Key"


class KeyedRoute(APIRoute):
    """A route that asks for the key, if the server has one."""

    needs_a_key: ClassVar[bool] = False  # whether it answers nobody while the server has none

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_key(scope["headers"], scope["app"].state.services.key, self.needs_a_key)
        await super().handle(scope, receive, send)


class GuardedRoute(KeyedRoute):
    """A route that nobody can use without a key."""

    needs_a_key = True


def check_key(headers: list[tuple[bytes, bytes]], key: bytes | None, needed: bool) -> None:
    """Raise 401 for a wrong or missing key, 403 where the server has none although it is needed."""
    if key is None:
        if needed:
            raise HTTPException(403, "set API_KEY to use this")
    elif not hmac.compare_digest(next((value for name, value in headers if name == b"x-api-key"), b""), key):
        raise HTTPException(401, f"wrong or missing {HEADER}")


def asks_for_key(route: object, key: bytes | None) -> bool:
    return isinstance(route, KeyedRoute) and (route.needs_a_key or key is not None)
