"""The sections of params.yaml: one frozen model each. Defaults live in params.yaml only."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stages.forecasting.errors import UserError

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of params.yaml: frozen, and no key but these."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class InjectedDrift(Section):
    """A change that the demo injects from `start` on."""

    kind: Literal["none", "level", "growth", "weekday", "season", "noise"]
    start: date | None = Field(description="first changed day; null for the last eight weeks")
    size: float = Field(gt=-1, description="relative change (growth: per year); weekday, season: 1 moves by 3 days, 6 months")
    share: Share = Field(description="share of the series that change")


class Demo(Section):
    """The embedded demo data set: a chain of stores in the competition's schema."""

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
    level_shifts: Share = Field(description="share of the series whose level jumps on random days")
    drift: InjectedDrift


class Data(Section):
    """What the pipeline sees."""

    source: str = Field(description="CSV or Parquet file with the columns date, store, item, sales")
    known_future: tuple[str, ...] = Field(description="numeric columns that are known for the days to forecast")
    as_of: date | None = Field(description="the last day the pipeline may see; null for the newest")
    test_file: str = Field(description="CSV with id, date, store, item: the days of data/forecast/submission.csv")


class Train(Section):
    """How a model is fitted to the training window."""

    algorithm: Literal["xgboost", "random_forest"]
    base: Literal["auto", "structural", "level"] = Field(description="what the trees correct; auto: an inner backtest chooses")
    max_depth: Positive = Field(description="depth of a tree, levels")
    n_estimators: Positive = Field(description="trees; xgboost takes fewer when held-out days say so")
    learning_rate: float = Field(gt=0, le=1, description="share of each tree's correction that is taken; xgboost only")
    rows: Positive = Field(description="(series, origin, horizon) that are drawn to learn from")
    seed: int = Field(ge=0)


class Prepare(Section):
    """How the panel is cleaned. No rule looks at later days than the one it judges."""

    fill_weeks: Positive = Field(description="a missing day takes the median of so many last sales on its weekday")
    closed_probability: float = Field(gt=0, lt=1, description="a zero that demand gives less often than this is a closed day")
    outlier_z: float = Field(gt=0, description="robust standard deviations above what was expected")
    outlier_factor: float = Field(gt=1, description="times what was expected, squared when something is planned for the day")


class Evaluate(Section):
    """The backtest."""

    origins: Positive | Annotated[tuple[date, ...], Field(min_length=1)] = Field(
        description="how many, the last one horizon before the newest day; or the days themselves")
    step_days: Positive = Field(description="days between the origins when their number is given")


class Forecast(Section):
    """What is forecast."""

    horizon: Positive = Field(description="days ahead")


class Drift(Section):
    """When what has happened since is evidence against the champion: docs/decisions/0005-drift.md."""

    mape_tolerance: float = Field(gt=0, description="relative rise of MAPE over what the backtest makes normal for those days")
    level_tolerance: float = Field(gt=0, description="a segment's sales this much off the forecast, relative, are let pass")
    sigmas: float = Field(gt=1, description="beyond what is normal, for one segment; one more for what all sales do together")
    volume: Share = Field(description="share of all sales that has to have moved")
    silent_days: Positive = Field(description="days without a sale, where some were due, that make a series a data problem")
    sample_rows: Positive = Field(description="rows that Evidently compares")
    column_share: Share = Field(description="share of columns that have to differ from last year's season to call it data drift")


class Promote(Section):
    """When a candidate may become champion."""

    tolerance: float = Field(ge=0, description="how much worse its SMAPE may be, relative to the champion's at the same origins")


class Params(Section):
    """The whole of params.yaml. A new section is a model above and a line here."""

    demo: Demo
    data: Data
    prepare: Prepare
    drift: Drift
    train: Train
    evaluate: Evaluate
    forecast: Forecast
    promote: Promote


def parse(content: Any, file: str = "params.yaml") -> Params:
    """The model of a parsed params.yaml; a UserError names each wrong key with its dotted path, and what is allowed there."""
    if not isinstance(content, dict):
        raise UserError(f"{file}: expected the sections {', '.join(Params.model_fields)}, found {type(content).__name__}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        problems = [describe(problem["type"], problem["loc"], problem["msg"], problem["input"]) for problem in error.errors()]
        raise UserError("\n  ".join([f"{file}: {len(problems)} wrong", *problems])) from None


def describe(kind: str, location: tuple[int | str, ...], message: str, value: object) -> str:
    """One validation error in words."""
    path = ".".join(map(str, location))
    if kind == "missing":
        return f"{path} is missing: add it, stages/forecasting/params.py says what it means"
    if kind == "extra_forbidden":
        allowed = list(section_at(location[:-1]).model_fields)
        close = get_close_matches(str(location[-1]), allowed, n=1)
        return f"{path} is unknown{f': did you mean {close[0]}?' if close else ''} (allowed: {', '.join(allowed)})"
    return f"{path} = {value!r}: {message[0].lower()}{message[1:]}"


def section_at(location: tuple[int | str, ...]) -> type[Section]:
    """The model that holds the keys at this path."""
    model: type[Section] = Params
    for key in location:
        model = model.model_fields[str(key)].annotation  # type: ignore[assignment]
    return model
