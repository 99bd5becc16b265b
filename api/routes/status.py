"""Whether the API runs, and how it does: what needs no key."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api import errors, schemas
from api.services import services

PAGE = Path(__file__).parents[1] / "page" / "index.html"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
router = APIRouter(tags=["status"])


@router.get("/", summary="The page for a browser, else that the API runs",
            responses={200: {"model": schemas.Running, "content": {"text/html": {}}}})
async def root(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(PAGE.read_bytes())
    return JSONResponse({"status": "running", "model_version": version_served(request), "docs": "/docs"})


@router.get("/health", summary="Alive", responses={200: {"model": schemas.Status}})
async def health() -> Response:
    return JSONResponse({"status": "alive"})


@router.get("/ready", summary="Whether a model is loaded, and how the last reload went",
            responses={200: {"model": schemas.Ready}, 503: {"model": schemas.Ready, "description": errors.DESCRIPTIONS[503]}})
async def ready(request: Request) -> Response:
    last, version = services(request).store.last_reload, version_served(request)
    return JSONResponse({"status": "ready" if version else "no model", "model_version": version,
                         "last_reload": asdict(last) if last else None}, 200 if version else 503)


@router.get("/metrics", summary="For Prometheus", response_class=Response,
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def metrics(request: Request) -> Response:
    api = services(request)
    return Response(await asyncio.to_thread(api.telemetry.exposition, api.store), media_type=PROMETHEUS)


def version_served(request: Request) -> str | None:
    served = services(request).store.served
    return served.version if served else None
