"""The section `demo` of params.yaml."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from demand.schema.sections import Positive, Section, Share


class InjectedDrift(Section):
    """A change that the demo injects from `start` on."""

    kind: Literal["none", "level", "growth", "weekday", "season", "noise"]
    start: date | None = Field(description="first changed day; null for the last eight weeks")
    size: float = Field(gt=-1, description="relative change (growth: per year); weekday, season: 1 moves by 3 days, 6 months")
    share: Share = Field(description="share of the series that change")


class DemoParams(Section):
    """The embedded demo data set: a chain of stores in the competition's schema."""

    section: ClassVar[str] = "demo"

    stores: Positive
    items: Positive
    start: date = Field(description="first day")
    years: float = Field(gt=0, le=50, description="length, years; more of them only append days")
    future_days: int = Field(ge=0, description="days after the last with sales whose rows carry the known-future columns only")
    seed: int = Field(ge=0)
    level: float = Field(gt=0, description="sales of the median series, units per day")
    growth: float = Field(gt=-1, le=10, description="relative change per year")
    seasonality: float = Field(ge=0, le=2, description="height of the yearly wave, relative to the level")
    noise: float = Field(ge=0, le=2, description="relative sd of demand around its mean, beyond Poisson's")
    promotions: bool = Field(description="a column promo, 0 or 1, and what it does to sales")
    closed_days: bool = Field(description="a column open, 0 or 1: Sundays and public holidays; some stores lack months of rows")
    feasts: float = Field(ge=0, le=2, description="height of what public holidays of Germany do to sales, relative to the level")
    level_shifts: Share = Field(description="share of the series whose level jumps on random days")
    catalogue: bool = Field(description="launches, endings, stock-outs and mixed speeds, and a column price with its effect")
    giant_orders: Share = Field(description="share of a series' days with one order of many times its usual sales")
    drift: InjectedDrift
