"""Whole series: which there are, and the forecast of one, as planned or under other circumstances.

Store and item are parameters of the query, which can hold any id. They may be the end of the path instead, unless one of them
holds a slash or is "." or "..": those have a meaning of their own there.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api import errors, schemas
from api.access import KeyedRoute
from api.documentation import body_of
from api.services import services
from api.serving import answers, query_body

BODY_BYTES = 1_000_000  # 3,660 days of sales, and 100 columns of days
ERRORS = errors.documented(401, 404, 422, 503)
BODY_ERRORS = ERRORS | errors.documented(408, 413)
SERIES: dict[int | str, dict[str, Any]] = {200: {"model": schemas.Series}}
ID = {"min_length": 1, "max_length": schemas.LONGEST_ID, "examples": ["1"]}
StoreInQuery = Annotated[str, Query(description="store as in the data", **ID)]
ItemInQuery = Annotated[str, Query(description="item as in the data", **ID)]
StoreInPath = Annotated[str, Path(description="store as in the data", examples=["1"])]
ItemInPath = Annotated[str, Path(description="item as in the data", examples=["1"])]
Horizon = Annotated[int | None, Query(ge=1, description="days; all when left out")]
History = Annotated[int, Query(ge=0, le=3660, description="days of recorded sales to send along")]
router = APIRouter(tags=["forecasts"], route_class=KeyedRoute)


@router.get("/series", summary="The stores, and the items of each",
            responses=errors.documented(401, 503) | {200: {"model": schemas.Catalogue}})
async def series(request: Request) -> Response:
    served = services(request).serving_model()
    return Response(await asyncio.to_thread(answers.catalogue, served), media_type="application/json")


@router.get("/forecast", summary="A whole series", responses=ERRORS | SERIES)
async def forecast(request: Request, store: StoreInQuery, item: ItemInQuery, horizon: Horizon = None, history: History = 0,
                   ) -> Response:
    return answer_planned(request, store, item, horizon, history)


@router.post("/forecast", summary="A whole series under other circumstances", openapi_extra=body_of(schemas.WhatIfQuery),
             responses=BODY_ERRORS | SERIES)
async def forecast_what_if(request: Request, store: StoreInQuery, item: ItemInQuery) -> Response:
    return await answer_what_if(request, store, item)


@router.get("/forecast/{store}/{item}", summary="A whole series", responses=ERRORS | SERIES)
async def forecast_by_path(request: Request, store: StoreInPath, item: ItemInPath, horizon: Horizon = None, history: History = 0,
                           ) -> Response:
    return answer_planned(request, store, item, horizon, history)


@router.post("/forecast/{store}/{item}", summary="A whole series under other circumstances",
             openapi_extra=body_of(schemas.WhatIfQuery), responses=BODY_ERRORS | SERIES)
async def forecast_what_if_by_path(request: Request, store: StoreInPath, item: ItemInPath) -> Response:
    return await answer_what_if(request, store, item)


def answer_planned(request: Request, store: str, item: str, horizon: int | None, history: int) -> Response:
    api = services(request)
    content, days = answers.series(api.serving_model(), store, item, schemas.WhatIfQuery(horizon=horizon, history=history))
    api.telemetry.count_predictions("series", days)
    return Response(content, media_type="application/json")


async def answer_what_if(request: Request, store: str, item: str) -> Response:
    """Parsed and computed in a thread where that takes long."""
    api = services(request)
    served = api.serving_model()
    async with api.bodies.read(request, BODY_BYTES) as body:
        days = len(served.table.days) * len(served.whatif.known_names)
        query = await api.bodies.work(body, partial(query_body.parse, schemas.WhatIfQuery, body, days))
    content, _ = await asyncio.to_thread(answers.series, served, store, item, query)
    api.telemetry.count_predictions("what_if")
    return Response(content, media_type="application/json")
