"""Which model serves, and the look for a newer one."""

from __future__ import annotations

import time

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from api import errors, schemas
from api.access import GuardedRoute, KeyedRoute
from api.services import services
from api.serving.answers import to_json

router = APIRouter(tags=["model"], route_class=KeyedRoute)
reload_router = APIRouter(tags=["model"], route_class=GuardedRoute)


@router.get("/model", summary="Version, training, scores and hash of the model that serves",
            responses=errors.documented(401, 503) | {200: {"model": schemas.Model}})
async def model(request: Request) -> Response:
    facts = services(request).serving_model().facts
    age = round(time.time() - facts["promoted_at"], 3)
    return Response(to_json(facts | {"age_seconds": age}), media_type="application/json")


@reload_router.post("/model/reload", summary="Look for a newer model now",
                    responses=errors.documented(401, 403, 409) | {200: {"model": schemas.Reloaded}})
async def reload(request: Request) -> Response:
    store = services(request).store
    last = await store.reload()
    version = store.served.version if store.served else None
    if last.result == "failed":
        raise HTTPException(409, f"{last.message}; {version or 'no model'} goes on serving")
    return Response(to_json({"result": last.result, "model_version": version}), media_type="application/json")
