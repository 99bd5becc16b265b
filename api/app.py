"""The forecast API: `create_app` puts its parts together. What each route answers is in routes/."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import documentation, errors
from api.monitoring import telemetry
from api.routes import explain, model, orders, predictions, series, status, totals
from api.services import Services
from api.serving.model_store import ModelStore
from api.settings import Settings
from workspace.secrets.redacted_output import redact_logs


def create_app(settings: Settings) -> FastAPI:
    """The application, which loads its model when it starts."""
    redact_logs()
    metrics = telemetry.of_this_process()
    store = ModelStore.of(settings, lambda result: metrics.reloads.labels(result).inc())

    @asynccontextmanager
    async def load_and_watch(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(store.serve(settings.poll_seconds))
        yield
        task.cancel()

    app = FastAPI(title="Store-item demand", version="1", lifespan=load_and_watch, docs_url=None, redoc_url=None,
                  description="Daily sales per store and item for the next 90 days, with prediction intervals.")
    app.state.services = Services.of(settings, store, metrics)
    app.add_middleware(telemetry.Middleware, telemetry=metrics)
    errors.add_handlers(app)
    for router in (predictions.router, series.router, totals.router, orders.router, explain.router, model.router,
                   model.reload_router, status.router):
        app.router.routes += router.routes  # include_router would take 20 µs more of each request
    documentation.add(app)
    return app


app = create_app(Settings())
