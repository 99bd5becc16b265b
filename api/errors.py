"""Errors as JSON, {"detail": …}, in FastAPI's form."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException as AnyHttpException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

SHOWN = 20  # problems in an answer
LONGEST_PART = 200  # characters of a place that is named
METHODS = ("GET", "HEAD", "POST")

DESCRIPTIONS = {
    400: "The body cannot be parsed",
    401: "Wrong or missing X-API-Key",
    403: "The server has no API_KEY",
    404: "Unknown store or item",
    408: "The body did not arrive in time",
    409: "The newer model cannot be had; the old one goes on serving",
    413: "Too many rows, or too large a request",
    422: "Malformed, or a day outside the forecast",
    503: "No model is loaded yet, or too many large requests at once",
}


class Problem(BaseModel):
    """One error of a request."""

    type: str
    loc: list[str | int]
    msg: str


class ErrorAnswer(BaseModel):
    """What went wrong; of a malformed request the first problems."""

    detail: str | list[Problem]


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer other than 200, for the docs."""
    return {status: {"model": ErrorAnswer, "description": DESCRIPTIONS[status]} for status in statuses}


def invalid(location: tuple[str | int, ...], message: str, kind: str = "value_error") -> RequestValidationError:
    """A 422 in FastAPI's form."""
    return RequestValidationError([{"type": kind, "loc": location, "msg": message}])


def problems_of(error: ValidationError, place: tuple[str | int, ...] = ()) -> list[dict[str, Any]]:
    """The first errors of a body in FastAPI's form; `place` is that of the value in the body."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)[:SHOWN]
    return [{"type": each["type"], "loc": ("body", *place, *each["loc"]), "msg": each["msg"]} for each in errors]


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(405, answer_wrong_method)
    app.add_exception_handler(ClientDisconnect, answer_disconnected)


async def answer_invalid(_: Request, error: Exception) -> Response:
    """422 without the input: it may be large, or hold what JSON cannot."""
    assert isinstance(error, RequestValidationError)

    def cut(part: str | int) -> str | int:
        return part[:LONGEST_PART] if isinstance(part, str) else part

    problems = [{"type": each["type"], "loc": [cut(part) for part in each["loc"]], "msg": each["msg"]}
                for each in error.errors()[:SHOWN]]
    return Response(json.dumps({"detail": problems}), 422, media_type="application/json")


async def answer_wrong_method(request: Request, error: Exception) -> Response:
    """405 with the methods of all routes of the path; Starlette names those of the first one."""
    assert isinstance(error, AnyHttpException)
    allowed = [method for method in METHODS
               if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)]
    return await http_exception_handler(request, HTTPException(405, error.detail, {"Allow": ", ".join(allowed)}))


async def answer_disconnected(_: Request, __: Exception) -> Response:
    """For the metrics alone: nobody reads it."""
    return Response(status_code=408)
