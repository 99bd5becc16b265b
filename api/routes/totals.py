"""What any group of series sells over any span of days, as one sum or by day, week or month."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api import errors
from api.access import KeyedRoute
from api.planning_schemas import QUANTILES, DayText, IdText, Probability, Total
from api.services import services
from api.serving import sum_answers
from demand.planning.periods import Step

Stores = Annotated[list[IdText] | None, Query(description="stores as in the data; all when left out", examples=[["1"]])]
Items = Annotated[list[IdText] | None, Query(description="items as in the data; all when left out", examples=[["1", "2"]])]
Start = Annotated[DayText | None, Query(description="first day, YYYY-MM-DD; the first that is forecast when left out")]
End = Annotated[DayText | None, Query(description="last day, YYYY-MM-DD; the last that is forecast when left out")]
By = Annotated[Step | None, Query(description="one sum per day, per week from Monday, or per month; one in all when left out")]
Quantiles = Annotated[list[Probability] | None, Query(
    max_length=100, examples=[[0.05, 0.95]],
    description=f"probabilities that no more is sold; {', '.join(map(str, QUANTILES))} when left out")]
router = APIRouter(tags=["forecasts"], route_class=KeyedRoute)


@router.get("/total", summary="What a group of series sells together",
            responses=errors.documented(401, 404, 422, 503) | {200: {"model": Total}})
async def total(request: Request, store: Stores = None, item: Items = None, start: Start = None, end: End = None, step: By = None,
                quantile: Quantiles = None) -> Response:
    api = services(request)
    query = sum_answers.TotalQuery(store or (), item or (), start, end, step, quantile or ())
    content, days = await api.bodies.in_turn(partial(sum_answers.total, api.serving_model(), query))
    api.telemetry.count_predictions("total", days)
    return Response(content, media_type="application/json")
