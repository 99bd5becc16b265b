"""The data that methods are compared on, as cleaned panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from demand.cleaning.cleaning_report import prepare
from demand.panel.panel import Panel
from demand.simulation.simulator import generate, to_table
from workspace.run.all_params import Params, load_all_params

REAL = Path("../shared/data/store_item_train.csv")  # the competition's file, which may not be passed on: used where it is
REAL_ORIGINS = tuple(date.fromisoformat(day) for day in ("2016-12-31", "2017-03-31", "2017-06-30", "2017-10-02"))
CHAIN = {"stores": 1115, "items": 1, "start": "2013-01-01", "years": 2.58, "level": 5500.0, "noise": 0.15, "future_days": 90,
         "promotions": True, "closed_days": True, "level_shifts": 0.3}
PLANNED = ("promo", "open")


@dataclass(frozen=True)
class Case:
    """A data set and the origins to test on it: their number, or the days."""

    title: str
    load: Callable[[], tuple[Panel, Params]]
    origins: int | tuple[date, ...] = 4


def params(demo_changes: dict[str, Any] | None = None, known: tuple[str, ...] = (), source: str = "the demo",
           calendar: dict[str, str] | None = None) -> Params:
    """params.yaml with another data set."""
    base = load_all_params().model_dump()
    base["demo"] |= demo_changes or {}
    base["data"] |= {"known_future": known, "source": source, "as_of": None, "calendar": calendar}
    return Params.model_validate(base)


def prepared(data: pa.Buffer, settings: Params) -> Panel:
    """The cleaned panel of a source's bytes."""
    return prepare(data, settings.data, settings.prepare, settings.forecast.horizon)[0]


def generated(changes: dict[str, Any], known: tuple[str, ...] = (),
              calendar: dict[str, str] | None = None) -> tuple[Panel, Params]:
    """The demo, generated and prepared."""
    settings = params(changes, known, calendar=calendar)
    buffer = pa.BufferOutputStream()
    csv.write_csv(to_table(generate(settings.demo), settings.demo.promotions, settings.demo.closed_days), buffer)
    return prepared(buffer.getvalue(), settings), settings


def real() -> tuple[Panel, Params]:
    settings = params(source=str(REAL))
    return prepared(pa.memory_map(str(REAL)).read_buffer(), settings), settings


def real_or_demo(say: Callable[[str], None]) -> tuple[Panel, Params, str]:
    """The competition's file where it is, else the demo; and which of them."""
    if REAL.exists():
        return *real(), "the competition's file"
    say(f"{REAL} is not there: the demo is replayed instead")
    return *generated({}), "the demo"


CASES = {
    "real": Case("The competition's file: 500 series, 5 years", real, REAL_ORIGINS),
    "demo": Case("The demo: 500 series, 5 years", lambda: generated({})),
    "chain": Case("Demo with promotions, closed days and level shifts: 1,115 series, 2.6 years", lambda: generated(CHAIN)),
    "chain_planned": Case("The same, with promo and open known ahead", lambda: generated(CHAIN, PLANNED)),
}
