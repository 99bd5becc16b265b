"""Why the forecast of a day, or of a sum, is what it is."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.access import KeyedRoute
from api.routes.series import ID
from api.schemas import DAY
from api.services import services
from api.serving.explanations import explanation

EXAMPLE: JsonDict = {
    "store": 1, "item": 1, "start": "2025-01-15", "end": "2025-01-15", "series": 1, "days": 1, "forecast": 21.206611,
    "factors": {"level": 27.6407008, "growth": 1.00098121, "weekday": 0.878805041, "month": 0.86017549,
                "trees:horizon": 0.991174857, "trees:calendar": 1.00609939, "trees:recent_sales": 0.987571328,
                "trees:past_years": 0.999468479, "trees": 0.999924881, "direct_member": 1.03019771, "on_sale": 1.0,
                "open": 1.0},
    "model_version": "candidate-72a6864cf71d", "forecast_origin": "2024-12-31",
}
DAY_FORM = {"pattern": DAY, "json_schema_extra": {"format": "date"}}
Store = Annotated[str | None, Query(description="store as in the data; all when left out", **ID)]
Item = Annotated[str | None, Query(description="item as in the data; all when left out", **ID)]
Start = Annotated[str | None, Query(description="first day, YYYY-MM-DD; the first that is forecast when left out", **DAY_FORM)]
End = Annotated[str | None, Query(description="last day, YYYY-MM-DD; the last that is forecast when left out", **DAY_FORM)]
router = APIRouter(tags=["forecasts"], route_class=KeyedRoute)


class Explanation(BaseModel):
    """What a forecast is made of. Of a sum, each factor is the sum with it and those before it beside the sum without it."""

    model_config = ConfigDict(protected_namespaces=(), json_schema_extra={"examples": [EXAMPLE]})

    store: int | str | None = Field(description="null where all stores are summed")
    item: int | str | None = Field(description="null where all items are summed")
    start: str
    end: str
    series: int = Field(description="how many are summed")
    days: int = Field(description="how many are summed")
    forecast: float = Field(description="units, the product of the factors")
    factors: dict[str, float] = Field(description="in the order in which they are multiplied; level is in units")
    model_version: str
    forecast_origin: str


@router.get("/explain", summary="Why the forecast of a day, or of any sum, is what it is",
            responses=errors.documented(401, 404, 413, 422, 503) | {200: {"model": Explanation}})
async def explain(request: Request, store: Store = None, item: Item = None, start: Start = None, end: End = None) -> Response:
    api = services(request)
    async with api.explaining:
        content = await asyncio.to_thread(explanation, api.serving_model(), store, item, start, end)
    return Response(content, media_type="application/json")
