"""Errors of the past, from which a model's joint error is fitted: what it would have forecast at origins inside its window.

At each the factors, and the second member's trees on few rows, are fitted to what was known then: errors of a level that knows
the whole window come out too small, and those without the second member too large. The first member's trees, which learn nothing
that series share at an origin, are the model's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand.distribution.joint_error import JointError
from demand.distribution.joint_error_fit import PastErrors, fit_joint_error
from demand.model.base.base_forecast import BaseForecast
from demand.model.base.factors import fit_factors
from demand.model.base.off_sale import OffSaleRates, chance_on_sale, without_off_sale
from demand.model.direct_member import direct_base, fit_direct
from demand.model.holdout import Tuning, member_forecast
from demand.model.trees.design_matrix import DesignMatrix
from demand.model.trees.train_params import TrainParams
from demand.model.trees.trees import Trees
from demand.panel.calendar import YEAR
from demand.panel.panel import Panel, rows_of

ORIGINS = 9
APART = 56  # days between them
HALF_LIFE = 120.0  # days after which an origin counts half
FEWEST = 2 * YEAR  # days of history that an origin needs, or half of the window's
SERIES = 1000  # that are looked at, at most
ROWS = 15_000  # of training; the second member takes a third of them


@dataclass(frozen=True)
class Recipe:
    """What the model at each origin has in common with the one that serves: see DemandModel.fit."""

    weights: dict[str, float]
    tuning: Tuning
    trees: Trees
    rates: OffSaleRates
    train: TrainParams


def learn_joint_error(panel: Panel, recipe: Recipe, horizon: int, whole: bool) -> JointError | None:
    """The joint error of a model of this recipe; None where the history has no origin to learn it from.

    Args:
        panel: as the factors are fitted to, but with the days off sale.
    """
    last = panel.column(panel.last_day)
    fewest = min(FEWEST, last // 2)
    ends = range(last - horizon, fewest, -APART)[:ORIGINS]
    past = [errors_at(panel, end, recipe, horizon, 0.5 ** ((last - horizon - end) / HALF_LIFE)) for end in ends]
    told = [errors for errors in past if (errors.forecast * ~np.isnan(errors.actual)).sum() > 0]
    return fit_joint_error(told, whole) if told else None


def errors_at(panel: Panel, end: int, recipe: Recipe, horizon: int, weight: float) -> PastErrors:
    """Forecast and sales after position `end`, of every n-th series."""
    before = panel.through(panel.dates[end])
    shown, runs = without_off_sale(before, end, recipe.rates)
    base = BaseForecast(fit_factors(shown), recipe.weights)
    design = DesignMatrix(base.sums(shown))
    series = np.arange(before.n_series)[:: max(-(-before.n_series // SERIES), 1)]
    forecast = member_forecast(base, recipe.trees, design, end, horizon, series)
    if share := recipe.tuning.share:
        few = recipe.train.model_copy(update={"rows": min(recipe.train.rows, ROWS)})
        direct = fit_direct(base.factors, design, end, horizon, few)
        forecast += share * (member_forecast(direct_base(base.factors), direct, design, end, horizon, series) - forecast)
    forecast *= chance_on_sale(runs, before.n_series, horizon, recipe.rates)[series]
    rows, days = np.flatnonzero(rows_of(panel, before))[series], slice(end + 1, end + 1 + horizon)
    actual = np.where(panel.trading[rows, days], panel.sales[rows, days], np.nan)
    store, item = (np.unique(ids[series], return_inverse=True)[1] for ids in (before.store, before.item))
    return PastErrors(forecast, actual, store, item, weight)
