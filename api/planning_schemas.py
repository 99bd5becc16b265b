"""What requests about sums and orders, and their answers, look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas import DAY, LONGEST_ID, Body, Id
from demand.planning.orders import MOST, SERVICE

QUANTILES = (0.025, 0.1, 0.9, 0.975)  # the ends of the 95 % and of the 80 % interval
Format: TypeAlias = Literal["json", "csv"]
IdText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID)]
DayText = Annotated[str, StringConstraints(pattern=DAY), Field(json_schema_extra={"format": "date"})]
Probability = Annotated[float, Field(ge=SERVICE[0], le=SERVICE[1], allow_inf_nan=False)]


def number(**limits: Any) -> Any:
    """A number in the docs with its limits; demand/planning/orders.py words what is beyond them."""
    return Field(strict=True, allow_inf_nan=False, json_schema_extra=limits)


LeadTime = Annotated[float, number(type="integer", minimum=0)]
ReviewPeriod = Annotated[float, number(type="integer", minimum=1)]
ServiceLevel = Annotated[float, number(minimum=SERVICE[0], maximum=SERVICE[1])]
OnHand = Annotated[float, number(minimum=-MOST, maximum=MOST)]
Quantity = Annotated[float, number(minimum=0, maximum=MOST)]
PackSize = Annotated[float, number(exclusiveMinimum=0, maximum=MOST)]


class OrderQuery(Body):
    """What to order: each key is one value for all series, or a list of one per series of `store` and `item`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"lead_time": 3, "review_period": 7, "service_level": 0.95},
        {"store": [1, 1], "item": [1, 2], "lead_time": 3, "review_period": 7, "service_level": [0.95, 0.9],
         "on_hand": [80, 35], "pack_size": 12}]})

    store: list[Id] | None = Field(None, description="stores as in the data, one per series; all series when left out")
    item: list[Id] | None = Field(None, description="items as in the data, one per series; all series when left out")
    lead_time: LeadTime | list[LeadTime] = Field(description="whole days from an order to its arrival")
    review_period: ReviewPeriod | list[ReviewPeriod] = Field(description="whole days from this order to the next one")
    service_level: ServiceLevel | list[ServiceLevel] = Field(description="probability not to run out in a cycle")
    on_hand: OnHand | list[OnHand | None] | None = Field(None, description="units in stock, less than 0 where owed; 0 if null")
    on_order: Quantity | list[Quantity | None] | None = Field(None, description="units that have not arrived yet; 0 if null")
    pack_size: PackSize | list[PackSize | None] | None = Field(None, description="units in a pack; any quantity if null")
    minimum_order: Quantity | list[Quantity | None] | None = Field(None, description="units of the smallest order; 0 if null")


class Orders(BaseModel):
    """One value per series, in the order of the request or of GET /series."""

    store: list[int | str]
    item: list[int | str]
    until: list[str] = Field(description="the last day that an order placed now must last for")
    predicted_sales: list[float] = Field(description="units from the day after the origin to that day")
    order_up_to: list[float] = Field(description="units on hand and on order that suffice with the service level's probability")
    quantity: list[float] = Field(description="units to order now")
    model_version: str
    forecast_origin: str


class Total(BaseModel):
    """Units of all series of the group together, one value per period."""

    store: list[int | str] | None = Field(description="stores of the group; null for all")
    item: list[int | str] | None = Field(description="items of the group; null for all")
    series: int = Field(description="how many series are in the group")
    start: list[str] = Field(description="first day of each period")
    end: list[str] = Field(description="last day of each period")
    predicted_sales: list[float]
    quantiles: dict[str, list[float]] = Field(description="by probability: with it, no more is sold")
    model_version: str
    forecast_origin: str
