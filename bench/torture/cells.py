"""One wrong value in the sales: how far it moves the forecasts of the other series.

The base forecast is compared, before the trees: any changed value, however small, makes other trees.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import yaml

from bench.torture.tree import ROOT
from demand.cleaning.clean_panel import clean, visible_records
from demand.cleaning.prepare_params import PrepareParams
from demand.ingest.records import Records
from demand.model.base.base_forecast import BaseForecast
from demand.model.base.closing_probability import chance_of_closing
from demand.model.base.extremes import without_extremes
from demand.model.base.factors import fit_factors
from demand.model.base.level import KINDS
from demand.panel.panel import Panel
from demand.simulation.demo_params import DemoParams
from demand.simulation.simulator import generate

PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
SMALL = {"stores": 10, "items": 10}
CLOSING = SMALL | {"promotions": True, "closed_days": True, "level_shifts": 0.5}  # closed days are told from zeros
TIMES = (1e3, 1e6, 1e12)
HORIZON = 28
FURTHEST, MEAN = 2e-3, 2e-4  # relative: of one other series, and of their mean


@cache
def demo(closing: bool = False, whole: bool = False) -> Records:
    """The demo's sales; some stores of a `closing` one have days without sales, or no rows."""
    chain = generate(DemoParams.model_validate(PARAMS["demo"] | ({} if whole else CLOSING if closing else SMALL)))
    row = chain.row.T
    return Records(chain.store, chain.item, chain.dates, np.where(row, chain.units.T, np.nan).astype("f4"), row,
                   np.empty((*row.shape, 0), "f4"))


def cleaned(records: Records) -> Panel:
    visible, last = visible_records(records, len(records.dates) - 1)
    return clean(visible, last, PrepareParams.model_validate(PARAMS["prepare"]))


def with_value(records: Records, series: int, day: int, units: float) -> Records:
    sales = records.sales.copy()
    sales[series, day] = units
    return replace(records, sales=sales)


def base_forecast(whole: Panel, kind: str) -> np.ndarray:
    """(S,) totals over open days of what the trees correct."""
    origin = whole.column(whole.last_day)
    whole = without_extremes(whole.extended(HORIZON), origin)
    base = BaseForecast(fit_factors(whole), {kind: 1.0})
    sums = base.sums(whole)
    units = base.units(sums, base.at(sums, origin), origin, np.arange(1, HORIZON + 1))
    return np.where(chance_of_closing(whole, origin, HORIZON) < 0.5, units, 0).sum(axis=1)


@cache
def undisturbed(closing: bool, kind: str) -> np.ndarray:
    return base_forecast(cleaned(demo(closing)), kind)


def moved(closing: bool, series: int, day: int, times: float) -> tuple[float, float]:
    """By how much one value times so much moves another series at most, and the mean of all others; relative."""
    records = demo(closing)
    true = records.sales[series, day]
    disturbed = cleaned(with_value(records, series, day, true * times if true > 0 else 1e12))
    others = np.arange(len(records.store)) != series
    ratios = [base_forecast(disturbed, kind)[others] / undisturbed(closing, kind)[others] for kind in KINDS]
    return max(float(np.abs(ratio - 1).max()) for ratio in ratios), max(abs(float(ratio.mean()) - 1) for ratio in ratios)


@dataclass
class Result:
    """Cells tried, the largest move of one series and of the mean, and the cells that were beyond the limits."""

    cells: int = 0
    furthest: float = 0.0
    mean: float = 0.0
    wrong: list[str] = field(default_factory=list)


def run(cells: int, until: float, seed: int = 0) -> Result:
    """Random cells of the demo, a third of them among the first four weeks and a third among the last five days."""
    rng, result = random.Random(seed), Result()
    while result.cells < cells and time.monotonic() < until:
        closing = bool(result.cells % 2)
        series_count, days = demo(closing).sales.shape
        first, last = ((0, 27), (days - 5, days - 1), (0, days - 1))[result.cells // 2 % 3]
        cell = rng.randrange(series_count), rng.randint(first, last), rng.choice(TIMES)
        furthest, mean = moved(closing, *cell)
        result.cells += 1
        result.furthest, result.mean = max(result.furthest, furthest), max(result.mean, mean)
        if furthest >= FURTHEST or mean >= MEAN:
            result.wrong.append(f"series {cell[0]}, day {cell[1]}, times {cell[2]:g}: {furthest:.5f}, {mean:.5f}")
    return result
