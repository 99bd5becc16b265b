"""The forecast API. Routes are thin: what they answer is in answers.py, where it comes from in model_store.py.

Lookups are `async def` and take microseconds; whatever takes longer runs in a thread, so that it holds nobody up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response

from api import answers, schemas
from api.access import Limits, guard
from api.answers import Json
from api.limits import Bodies, Budget, fits
from api.monitoring import telemetry
from api.serving.model_store import ModelStore, Served
from api.settings import Settings
from workspace.run.redaction import redact_logs

PAGE = Path(__file__).parent / "page" / "index.html"
VALUES, NAMES = 5_000, 200  # in a query: 3,660 days of sales, and 100 columns of a day


def create_app(settings: Settings) -> FastAPI:
    """The application, which loads its model when it starts."""
    redact_logs()
    metrics = telemetry.of_this_process()
    store = ModelStore.of(settings, lambda result: metrics.reloads.labels(result).inc())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async def serve() -> None:
            await store.reload()
            await store.watch(settings.poll_seconds)

        task = asyncio.create_task(serve())
        yield
        task.cancel()

    app = FastAPI(title="Store-item demand", version="1", lifespan=lifespan,
                  description="Daily sales per store and item for the next 90 days, with prediction intervals.")
    app.add_middleware(telemetry.Middleware, telemetry=metrics)
    app.add_exception_handler(RequestValidationError, malformed)
    app.state.store, app.state.metrics = store, metrics
    key = settings.api_key.get_secret_value().encode() if settings.api_key else None
    guard(app, Limits(key, settings.max_body_bytes))
    forecasts(app, store, metrics, settings)
    open_routes(app, store, metrics)
    reloading(app, store)
    return app


def malformed(_: Request, error: Exception) -> Response:
    """422 in FastAPI's form, without the input: it may be large, or hold what JSON cannot."""
    assert isinstance(error, RequestValidationError)
    def short(part: str | int) -> str | int:
        return part[:schemas.LONGEST_ID] if isinstance(part, str) else part

    content = [{"type": each["type"], "loc": [short(part) for part in each["loc"]], "msg": each["msg"]}
               for each in error.errors()[:schemas.SHOWN]]
    return Response(json.dumps({"detail": content}), 422, media_type="application/json")


def ready(store: ModelStore) -> Served:
    """The model that serves; a request asks once."""
    if store.served is None:
        raise HTTPException(503, f"no model is loaded: {store.last.message if store.last else 'it is being loaded'}")
    return store.served


def parsed(model: type[schemas.Asked], body: bytes, days: int) -> schemas.Asked:
    """A body as its model. Raises 413 for more than that can need, and 422 with the first errors.

    `days`: of known-future columns, all of them together.
    """
    if not fits(body, Budget(VALUES + days, NAMES + days, NAMES, NAMES + days)):
        raise HTTPException(413, f"the body holds more than {VALUES + days:,} values, or more than {NAMES + days:,} names")
    return schemas.parse(model, body)


def open_routes(app: FastAPI, store: ModelStore, metrics: telemetry.Telemetry) -> None:
    """What needs no key."""

    @app.get("/", summary="The page, or that the API runs", responses={200: {"content": {"text/html": {}}}})
    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(PAGE.read_bytes())
        return Json({"status": "running", "model_version": store.served.version if store.served else None, "docs": "/docs"})

    @app.get("/health", summary="Alive")
    async def health() -> Response:
        return Json({"status": "alive"})

    @app.get("/ready", summary="Whether a model is loaded, and how the last reload went", responses=schemas.problems(503))
    async def is_ready() -> Response:
        last = store.last
        told = {"model_version": store.served.version if store.served else None,
                "last_reload": {"result": last.result, "message": last.message, "at": last.at} if last else None}
        return Json({"status": "ready" if store.served else "no model", **told}, 200 if store.served else 503)

    @app.get("/metrics", summary="For Prometheus", responses={200: {"content": {"text/plain": {}}}})
    async def exposition() -> Response:
        return Response(await asyncio.to_thread(metrics.exposition, store), media_type="text/plain; version=0.0.4; charset=utf-8")


def forecasts(app: FastAPI, store: ModelStore, metrics: telemetry.Telemetry, settings: Settings) -> None:
    """What needs the key, if there is one."""
    problems = schemas.problems(400, 401, 404, 408, 413, 422, 503)
    bodies = Bodies(settings.max_body_bytes)

    @app.post("/predict", summary="One store, item and day", openapi_extra=schemas.documented(schemas.Query),
              responses=problems | {200: {"model": schemas.Prediction}})
    async def predict(request: Request) -> Response:
        served, body = ready(store), await request.body()
        query = await bodies.work(body, partial(parsed, schemas.Query, body, 0))
        if query.recent_sales or query.known_future:
            answer = Json(await asyncio.to_thread(answers.one_what_if, served, query))
            metrics.what_if.inc()
            return answer
        content = answers.one(served, query)
        metrics.single.inc()
        return Response(content, media_type="application/json")

    @app.post("/predict/batch", summary="Many rows, by columns or by rows",
              openapi_extra=schemas.documented(schemas.Columns, schemas.BATCHES),
              responses=problems | {200: {"model": schemas.Many | schemas.ManyRows}})
    async def predict_batch(request: Request) -> Response:
        served = ready(store)
        async with bodies.read(request) as body:
            content, rows = await bodies.work(body, partial(answers.batch, served, body, settings.max_batch))
        metrics.batch.inc(rows)
        return Response(content, media_type="application/json")

    @app.get("/forecast/{store_id}/{item_id}", summary="A whole series", responses=problems | {200: {"model": schemas.Series}})
    async def forecast(
        store_id: str, item_id: str, horizon: Annotated[int | None, Query(ge=1, description="days; all when left out")] = None,
        history: Annotated[int, Query(ge=0, le=3660, description="days of recorded sales to send along")] = 0,
    ) -> Response:
        answer = answers.series(ready(store), store_id, item_id, schemas.WhatIfQuery(horizon=horizon, history=history))
        metrics.series.inc(len(answer["date"]))
        return Json(answer)

    @app.post("/forecast/{store_id}/{item_id}", summary="A whole series under other circumstances",
              openapi_extra=schemas.documented(schemas.WhatIfQuery), responses=problems | {200: {"model": schemas.Series}})
    async def forecast_what_if(store_id: str, item_id: str, request: Request) -> Response:
        served = ready(store)
        async with bodies.read(request) as body:
            days = len(served.table.days) * len(served.whatif.known_names)
            query = await bodies.work(body, partial(parsed, schemas.WhatIfQuery, body, days))
        answer = Json(await asyncio.to_thread(answers.series, served, store_id, item_id, query))
        metrics.what_if.inc()
        return answer

    @app.get("/series", summary="The stores, and the items of each", responses=problems)
    async def series() -> Response:
        served = ready(store)
        return Response(await asyncio.to_thread(answers.catalogue, served), media_type="application/json")

    @app.get("/model", summary="Version, training, scores and hash of the model that serves", responses=problems)
    async def model() -> Response:
        facts = ready(store).facts
        return Json(facts | {"age_seconds": round(time.time() - facts["promoted_at"], 3)})


def reloading(app: FastAPI, store: ModelStore) -> None:
    """What always needs the key."""

    @app.post("/model/reload", summary="Look for a newer model now", responses=schemas.problems(401, 403, 409))
    async def reload() -> Response:
        last = await store.reload()
        if last.result == "failed":
            raise HTTPException(409, f"{last.message}; {store.served.version if store.served else 'no model'} goes on serving")
        return Json({"result": last.result, "model_version": store.served.version if store.served else None})


app = create_app(Settings())
