"""What the OpenAPI document cannot say, as it depends on the model that serves: which days and columns there are.

Loaded by schemathesis, as fuzz.py starts it. A generated request that the document allows gets days, a horizon and columns of
the forecast, and a batch columns of one length, so that the API must accept it. Other requests are sent as they are.
"""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

FACTS = "FUZZ_FACTS"  # the environment variable: {"days": […], "known_future": […]} as JSON


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:  # noqa: ARG001
    if case.meta is not None and case.meta.generation.mode.is_positive:
        facts = json.loads(os.environ[FACTS])
        case.body = answerable(case.body, facts["days"], facts["known_future"])
        if case.query and isinstance(case.query.get("horizon"), int):
            case.query["horizon"] = min(case.query["horizon"], len(facts["days"]))
        if case.query:
            case.query |= span_of(case.query, facts["days"])


def answerable(body: Any, days: list[str], columns: list[str]) -> Any:
    """A body that the document allows, as one that this model can answer."""
    if isinstance(body, list):
        return [answerable(row, days, columns) for row in body]
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if isinstance(body.get("rows"), list):
        body["rows"] = answerable(body["rows"], days, columns)
    if isinstance(body.get("date"), str):
        body["date"] = day_for(body["date"], days)
    if isinstance(body.get("date"), list):
        rows = min(len(body[name]) for name in ("store", "item", "date"))
        body |= {name: body[name][:rows] for name in ("store", "item")}
        body["date"] = [day_for(day, days) for day in body["date"][:rows]]
    if "lead_time" in body:
        return orderable(body, len(days))
    if isinstance(body.get("known_future"), dict):
        body["known_future"] = dict(zip(columns, (by_day(value, days) for value in body["known_future"].values()), strict=False))
    if isinstance(body.get("horizon"), int | float):  # 3.0 is an integer, too
        body["horizon"] = min(body["horizon"], len(days))
    return body


def span_of(query: dict[str, Any], days: list[str]) -> dict[str, str]:
    """The first and last day of a query as days of the forecast, in this order."""
    names = [name for name in ("start", "end") if isinstance(query.get(name), str)]
    return dict(zip(names, sorted(day_for(query[name], days) for name in names), strict=True))


def orderable(body: dict[str, Any], horizon: int) -> dict[str, Any]:
    """Orders within the horizon, their columns of one length; without series every value is one for all."""
    if body.get("store") is None or body.get("item") is None:
        scalars = {name: value for name, value in body.items() if name not in ("store", "item") and not isinstance(value, list)}
        return {"lead_time": 1, "review_period": 1, "service_level": 0.9} | within(scalars, horizon)
    rows = min(len(value) for value in body.values() if isinstance(value, list))
    return within({name: value[:rows] if isinstance(value, list) else value for name, value in body.items()}, horizon)


def within(body: dict[str, Any], horizon: int) -> dict[str, Any]:
    """Days of a lead time or review period that are half the horizon at most."""
    def cut(days: Any) -> Any:
        return [cut(each) for each in days] if isinstance(days, list) else min(days, horizon // 2)

    return {name: cut(value) if name in ("lead_time", "review_period") else value for name, value in body.items()}


def by_day(value: Any, days: list[str]) -> Any:
    return {day_for(day, days): each for day, each in value.items()} if isinstance(value, dict) else value


def day_for(day: str, days: list[str]) -> str:
    """A day of the forecast, the same one for the same day."""
    return days[sum(day.encode()) % len(days)]
