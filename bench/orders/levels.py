"""Order-up-to levels week by week, from three ways to see the demand until the next order arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from bench.orders.simulate import REVIEW
from demand.baselines import seasonal_naive
from demand.distribution.groups import Groups
from demand.distribution.sums import forecast_sums
from demand.model.demand_model import DemandModel
from demand.panel.calendar import YEAR
from demand.panel.panel import Panel
from demand.planning.orders import OrderTerms, plan_orders
from workspace.run.all_params import Params

TRAIN_EVERY = 4  # weeks
METHODS = ("this project", "daily quantiles added up", "seasonal naive, normal safety stock")


@dataclass
class Levels:
    """(weeks, series) order-up-to levels by method, lead time and service level."""

    lead_times: Sequence[int]
    services: Sequence[float]
    found: dict[tuple[str, int, float], list[np.ndarray]] = field(default_factory=dict)

    def add(self, method: str, lead_time: int, service: float, level: np.ndarray) -> None:
        self.found.setdefault((method, lead_time, service), []).append(level)


def weekly_levels(panel: Panel, settings: Params, first: np.datetime64, weeks: int, levels: Levels,
                  say: Callable[[str], None]) -> None:
    """Fill `levels` from reviews at the end of `first` and every week after it; a model is trained every fourth week."""
    model: DemandModel | None = None
    longest = max(levels.lead_times) + REVIEW
    for week in range(weeks):
        day = first + REVIEW * week
        known = panel.through(day)
        if model is None or week % TRAIN_EVERY == 0:
            model = DemandModel.fit(known, settings.train, settings.forecast.horizon)
            say(f"week {week + 1} of {weeks}: {day}")
        units = model.predict(known, day, longest).point.astype("f8")
        naive = seasonal_naive(known, day, longest).astype("f8")
        spread = naive_spread(known, day)
        for lead_time in levels.lead_times:
            for service in levels.services:
                protected = lead_time + REVIEW
                levels.add(METHODS[0], lead_time, service, joint_level(model, units, known, lead_time, service))
                levels.add(METHODS[1], lead_time, service, daily_level(model, units[:, :protected], known, service))
                levels.add(METHODS[2], lead_time, service, np.maximum(
                    naive[:, :protected].sum(axis=1) + ndtri(service) * spread * np.sqrt(protected), 0))


def joint_level(model: DemandModel, units: np.ndarray, panel: Panel, lead_time: int, service: float) -> np.ndarray:
    """What POST /orders answers."""
    codes, each = Groups.of(panel.store, panel.item), np.ones(panel.n_series)
    terms = OrderTerms(each * lead_time, each * REVIEW, each * service, each * 0, each * 0, each * np.nan, each * 0)
    return plan_orders(model.joint_error, units, codes.store, codes.item, terms).order_up_to


def daily_level(model: DemandModel, units: np.ndarray, panel: Panel, service: float) -> np.ndarray:
    """The sum of each day's own quantile."""
    codes = Groups.of(panel.store, panel.item)
    days = [forecast_sums(model.joint_error, units[:, day:day + 1], day + 1, codes.store, codes.item, np.arange(panel.n_series))
            for day in range(units.shape[1])]
    return np.asarray(sum(day.quantiles([service], inwards=False)[:, 0] for day in days))


def naive_spread(panel: Panel, day: np.datetime64) -> np.ndarray:
    """(S,) standard deviation of the seasonal naive's daily errors over the last year."""
    end = panel.column(day) + 1
    missed = panel.sales[:, end - YEAR:end].astype("f8") - panel.sales[:, end - 2 * YEAR:end - YEAR]
    return np.asarray(np.nanstd(missed, axis=1))
