"""What to order of each series, so that stock lasts until the order after the next one arrives."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import errors
from api.access import KeyedRoute
from api.documentation import body_of
from api.planning_schemas import Format, OrderQuery, Orders
from api.services import services
from api.serving import sum_answers

MEDIA = {"json": "application/json", "csv": "text/csv"}
Form = Annotated[Format | None, Query(alias="format", description="json or csv; by the header Accept when left out")]
router = APIRouter(tags=["forecasts"], route_class=KeyedRoute)


@router.post("/orders", summary="Order-up-to level and quantity of any series, or of all", openapi_extra=body_of(OrderQuery),
             responses=errors.documented(401, 404, 408, 413, 422, 503) | {
                 200: {"model": Orders, "content": {"text/csv": {"schema": {"type": "string"}}}}})
async def orders(request: Request, form: Form = None) -> Response:
    api = services(request)
    served = api.serving_model()
    form = form or ("csv" if MEDIA["csv"] in request.headers.get("accept", "") else "json")
    async with api.bodies.read(request) as body:
        content, days = await api.bodies.in_turn(partial(sum_answers.orders, served, body, form))
    api.telemetry.count_predictions("orders", days)
    return Response(content, media_type=MEDIA[form])
