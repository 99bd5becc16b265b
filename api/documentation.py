"""The OpenAPI document, and /docs, which works without a network: its Swagger UI is in page/swagger-ui/."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from api.access import HEADER, asks_for_key
from api.planning_schemas import OrderQuery
from api.schemas import Columns, Query, Row, Rows, WhatIfQuery

SWAGGER = Path(__file__).parent / "page" / "swagger-ui"
ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
BODIES, DEFINITIONS = TypeAdapter.json_schemas(  # of the routes that parse their body themselves, and what those refer to
    [(Query, "validation", TypeAdapter(Query)), (WhatIfQuery, "validation", TypeAdapter(WhatIfQuery)),
     (OrderQuery, "validation", TypeAdapter(OrderQuery)),
     (Columns, "validation", TypeAdapter(Columns | Rows | list[Row]))], ref_template="#/components/schemas/{model}")
BATCH_EXAMPLES = {"columns": {"value": {"store": [1, 1], "item": [1, 2], "date": ["2025-01-15", "2025-01-15"]}},
                  "rows": {"value": {"rows": [{"store": 1, "item": 1, "date": "2025-01-15"}]}}}


def body_of(model: type[BaseModel], examples: dict[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra` of a route that parses its body itself."""
    content = {"schema": BODIES[model, "validation"], **({"examples": examples} if examples else {})}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def openapi(app: FastAPI, routes: list[APIRoute], generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The document: whatever it refers to is defined, and it says which routes ask for the key."""
    document = generate()
    document["components"]["schemas"] |= DEFINITIONS["$defs"]
    document["components"]["securitySchemes"] = {"APIKeyHeader": {"type": "apiKey", "in": "header", "name": HEADER}}
    for route in routes:
        for method in route.methods or ():
            if asks_for_key(route, app.state.services.key):
                document["paths"][route.path_format][method.lower()]["security"] = [{"APIKeyHeader": []}]
    return document


def add(app: FastAPI) -> None:
    """Give an app with all its routes /docs, and a document that generators of clients can use."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    for route in routes:
        route.operation_id = route.name
    app.openapi = partial(openapi, app, routes, app.openapi)  # type: ignore[method-assign]
    page = get_swagger_ui_html(openapi_url="openapi.json", title=app.title, swagger_js_url="docs/swagger-ui-bundle.js",
                               swagger_css_url="docs/swagger-ui.css", swagger_favicon_url="docs/favicon-32x32.png")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page

    @app.get("/docs/{asset}", include_in_schema=False)
    async def docs_asset(asset: str) -> FileResponse:
        if asset not in ASSETS:
            raise HTTPException(404)
        return FileResponse(SWAGGER / asset)
