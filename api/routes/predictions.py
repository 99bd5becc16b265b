"""Forecasts of single days: one, or many at once."""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import errors, schemas
from api.access import KeyedRoute
from api.documentation import BATCH_EXAMPLES, body_of
from api.limits import read_body
from api.services import services
from api.serving import answers, query_body

QUERY_BYTES = 128_000  # 3,660 days of sales, and 100 columns
ERRORS = errors.documented(401, 404, 408, 413, 422, 503)
router = APIRouter(tags=["forecasts"], route_class=KeyedRoute)


@router.post("/predict", summary="One store, item and day", openapi_extra=body_of(schemas.Query),
             responses=ERRORS | {200: {"model": schemas.Prediction}})
async def predict(request: Request) -> Response:
    api = services(request)
    served = api.serving_model()
    body = await read_body(request, min(QUERY_BYTES, api.settings.max_body_bytes))
    query = await api.bodies.work(body, partial(query_body.parse, schemas.Query, body))
    if query.recent_sales or query.known_future:
        content = await asyncio.to_thread(answers.what_if_prediction, served, query)
        api.telemetry.count_predictions("what_if")
    else:
        content = answers.prediction(served, query)
        api.telemetry.count_predictions("single")
    return Response(content, media_type="application/json")


@router.post("/predict/batch", summary="Many rows, by columns or by rows", openapi_extra=body_of(schemas.Columns, BATCH_EXAMPLES),
             responses=ERRORS | {200: {"model": schemas.Forecasts | schemas.ForecastRows}})
async def predict_batch(request: Request) -> Response:
    api = services(request)
    served = api.serving_model()
    async with api.bodies.read(request) as body:
        content, rows = await api.bodies.work(body, partial(answers.batch, served, body, api.settings.max_batch))
    api.telemetry.count_predictions("batch", rows)
    return Response(content, media_type="application/json")
