"""What held-out days decide: the number of trees, the share of the direct member, the width of the intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from demand.model.base.base_forecast import BaseForecast
from demand.model.base.factors import fit_factors
from demand.model.base.level import GlobalLevel, Level
from demand.model.direct_member import direct_base, fit_direct
from demand.model.intervals import ENOUGH, Dispersion, fit_dispersion, in_whole_units
from demand.model.trees.algorithms import ALGORITHMS
from demand.model.trees.design_matrix import DesignMatrix
from demand.model.trees.train_params import TrainParams
from demand.model.trees.training_rows import rows_at, training_rows
from demand.panel.panel import Panel

STEP = 28  # days between the origins that are held out
ORIGINS = 3  # of them, where the history is long enough
LONG_ENOUGH = 4  # times the horizon
SERIES = 120  # that tell the share of the direct member at most
BLOCK = 28  # days whose totals tell it
SHARES = np.linspace(0, 1, 5)
PENALTY = 0.1  # relative error for each share away from equal ones: one holdout tells little
TOLERANCE = 0.03  # a share whose error is so much larger, relatively, weighs 1 / e of the best
SMALLEST_SHARE = 0.05


@dataclass(frozen=True)
class Tuning:
    """What held-out days decided.

    Attributes:
        trees: their number.
        share: of the direct member in the forecast, 0 to 1.
        spread: of sales around the forecast; None where too few days tell it.
    """

    trees: int
    share: float
    spread: Dispersion | None


def tune_on_holdout(panel: Panel, weights: dict[str, float], train: TrainParams, horizon: int, common: float) -> Tuning:
    """From a model that is fitted without the last days of the panel and forecasts them from one to three origins.

    A history of less than three times the horizon holds out a third of its days. No spread where these are fewer than ENOUGH // 4
    days of series, or nothing was sold.
    """
    last = panel.column(panel.last_day)
    days = horizon if last >= 3 * horizon else min(horizon, last // 3)
    steps = ORIGINS if last - days - (ORIGINS - 1) * STEP >= LONG_ENOUGH * horizon else 1
    end = last - days - (steps - 1) * STEP
    before = panel.through(panel.dates[end]) if days > 0 else None
    if before is None or not before.n_series:
        return Tuning(train.n_estimators, 0.0, None)
    base = BaseForecast(fit_factors(before), weights)
    origins = np.arange(end, last - days + 1, STEP)
    past, now = DesignMatrix(base.sums(before)), DesignMatrix(base.sums(panel))
    rows = training_rows(base, past, end, days, train.rows, train.seed)
    test = rows_at(base, now, origins, days, train.rows // 2, train.seed, neutral=True)
    if not test.sales.sum() > 0:  # days on which nothing was sold cannot tell one model from another
        return Tuning(train.n_estimators, 0.0, None)
    trees, count = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.ratio, rows.weight, train.n_estimators,
                                                   (test.matrix, test.ratio, test.weight))
    members = [(base, trees), (direct_base(base.factors), fit_direct(base.factors, past, end, days, train))]
    share = direct_share(members, now, origins, days)
    if panel.trading[:, end + 1:last + 1].sum() < ENOUGH // 4:
        return Tuning(count, share, None)
    return Tuning(count, share, fit_dispersion(test.sales, test.base * trees.predict(test.matrix), test.horizon, common,
                                                in_whole_units(panel)))


def member_forecast(base: BaseForecast, trees: Any, design: DesignMatrix, origin: int, horizon: int,
                    series: np.ndarray, pool: GlobalLevel | None = None, first: int = 1) -> np.ndarray:
    """(N, H) units per day of some series of the panel after an origin: the base forecast times what the trees make of it.

    Args:
        first, horizon: days from the origin to the first day and to the last one.
    """
    days = np.arange(first, horizon + 1)
    level = base.at(design.sums, origin, pool)
    ratio = trees.predict(member_rows(level, design, origin, days, series)).reshape(len(series), len(days))
    return np.asarray(base.units(design.sums, level, origin, days)[series] * ratio)


def member_rows(level: Level, design: DesignMatrix, origin: int, days: np.ndarray, series: np.ndarray) -> np.ndarray:
    """(N x H, F) rows of the design matrix of some series, `days` (H,) after an origin."""
    i, h = np.repeat(series, len(days)), np.tile(days, len(series))
    return design.rows(i, np.full(len(i), origin), h, level.level[i])


def direct_share(members: list[tuple[BaseForecast, Any]], design: DesignMatrix, origins: np.ndarray, horizon: int) -> float:
    """The mean of SHARES, each weighted by its error of four-week totals beside the best one's; in float32."""
    sums = design.sums
    series = np.arange(len(sums.sales))[:: max(-(-len(sums.sales) // SERIES), 1)]
    missed = np.zeros(len(SHARES))
    for origin in origins.tolist():
        one, two = (member_forecast(*member, design, origin, horizon, series) for member in members)
        target = slice(origin + 1, origin + 1 + horizon)
        actual, trading = sums.sales[series, target], sums.trading[series, target]
        for start in range(0, max(horizon - BLOCK + 1, 1), BLOCK):
            part = slice(start, start + BLOCK)
            totals = [(values[:, part] * trading[:, part]).sum(axis=1) for values in (one, two)]
            blend = np.outer(1 - SHARES, totals[0]) + np.outer(SHARES, totals[1])
            missed += np.abs(blend - actual[:, part].sum(axis=1)).sum(axis=1)
    missed *= 1 + PENALTY * np.abs(SHARES - 0.5)
    weight = np.exp(-(missed / max(missed.min(), 1e-9) - 1) / TOLERANCE)
    share = float(np.float32((SHARES * weight).sum() / weight.sum()))
    return share if share >= SMALLEST_SHARE else 0.0
