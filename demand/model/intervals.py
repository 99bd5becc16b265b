"""Prediction intervals from held-out errors.

The spread of sales around a forecast f is taken as sqrt(a f + b f^2): counting noise, and noise that grows with the level.
Errors divided by it share one distribution, whose quantiles are read off held-out days (split conformal prediction, Lei et al.
2018), one set per month of the horizon. Sales in whole units have a negative binomial distribution with that spread instead: what
is read off are the quantiles of its normal scores, and the ends of an interval are whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.distribution.count_distribution import count_quantiles, normal_scores
from demand.distribution.joint_error import ERRORS, MEMORIES, JointError
from demand.model.base.factors import SEASON_NEEDS
from demand.panel.forecast import LEVELS
from demand.panel.panel import Panel

TAILS = tuple(sorted((100 + sign * p) / 200 for p in LEVELS for sign in (-1, 1)))
MONTH = 30  # days of the horizon that share one set of quantiles
ENOUGH = 400  # held-out days for a set of their own
NOTHING = 1e-5  # of the mean forecast: below, sales were ruled out, and what came says nothing about the spread of the others
NORMAL = (-1.95996, -1.28155, 1.28155, 1.95996)  # where there is nothing to hold out
SEASON_ERROR = 0.15  # rms log error that all series share in the first month, while the history is too short to know the season
SEASON_GROWTH = 0.6  # by how much intervals are wider in each further month, of no history; of SEASON_NEEDS days 0
SPELLS = 4  # independent horizons of evidence that this prior is worth


@dataclass(frozen=True)
class Dispersion:
    """`counting` a and `relative` b as above, `common` the variance of a log error that all series share, `quantiles` (M, 4).

    `whole`: sales are whole units.
    """

    counting: float
    relative: float
    common: float
    quantiles: np.ndarray
    whole: bool = False

    def of(self, forecast: np.ndarray) -> np.ndarray:
        """Standard deviation of sales around each forecast, units per day."""
        return np.sqrt(self.counting * forecast + (self.relative + self.common) * forecast**2)

    def at(self, forecast: np.ndarray, horizon: np.ndarray) -> dict[float, np.ndarray]:
        """Quantiles of sales per level of TAILS; `horizon` (H,) belongs to the last axis of `forecast`."""
        month = np.minimum((horizon - 1) // MONTH, len(self.quantiles) - 1)
        scale = self.of(forecast)
        if self.whole:
            scores = np.broadcast_to(self.quantiles[month], (*forecast.shape, len(TAILS))).reshape(-1, len(TAILS))
            units = count_quantiles(forecast.ravel().astype("f8"), scale.ravel().astype("f8") ** 2, scores)
            return {tail: units[:, q].reshape(forecast.shape) for q, tail in enumerate(TAILS)}
        return {tail: np.maximum(forecast + self.quantiles[month, q] * scale, 0) for q, tail in enumerate(TAILS)}


def shared_error(seen: float | None, spells: float) -> float:
    """The rms log error that all series share, while the season is not known: what was seen of it, shrunk towards SEASON_ERROR.

    Args:
        seen: rms log error of the inner backtest, None where it had no origin.
        spells: how many horizons its days make up; its origins overlap.
    """
    if seen is None:
        return SEASON_ERROR
    return float(np.sqrt((SPELLS * SEASON_ERROR**2 + spells * seen**2) / (SPELLS + spells)))


def in_whole_units(panel: Panel) -> bool:
    """Whether all recorded sales of the panel are, so that their distribution is one of counts."""
    recorded = panel.recorded[panel.trading]
    recorded = recorded[~np.isnan(recorded)]
    return bool((recorded == np.rint(recorded)).all())


def prior_dispersion(common: float, noise: float, whole: bool = False) -> Dispersion:
    """Intervals where next to nothing can be held out: normal, and wide.

    Args:
        common: rms log error that all series share.
        noise: variance of sales per unit of expected sales, around the factors; less than a Poisson's is not believed.
    """
    counting, common = (float(np.float32(value)) for value in (max(noise, 1.0), common**2))
    return Dispersion(counting, 0.01, common, np.array([NORMAL], "f4"), whole)


def widened(spread: Dispersion, horizon: int, history: int) -> Dispersion:
    """Intervals that grow with the month of the horizon, after a `history` of less than SEASON_NEEDS days."""
    growth = SEASON_GROWTH * max(1 - history / SEASON_NEEDS, 0)
    month = np.arange((horizon - 1) // MONTH + 1)
    rows = spread.quantiles[np.minimum(month, len(spread.quantiles) - 1)]
    return replace(spread, quantiles=(rows * (1 + growth * month)[:, None]).astype("f4"))


def fit_dispersion(actual: np.ndarray, forecast: np.ndarray, horizon: np.ndarray, common: float,
                   whole: bool = False) -> Dispersion:
    """From held-out sales (N,), forecasts of them and their horizons; `common` is the rms log error all series share.

    In float32: the last bits of exp and log differ between processors.
    One origin shows how series scatter around their common error, but shows that error only once: it is taken out here, and put
    back as a variance that many origins have shown.
    """
    if len(actual):
        expected = forecast >= NOTHING * forecast.mean()
        actual, forecast, horizon = actual[expected], forecast[expected], horizon[expected]
    if len(actual) < ENOUGH // 4:
        return prior_dispersion(common, 1.0, whole)
    forecast = np.maximum(forecast * (actual.sum() / max(forecast.sum(), 1e-9)), 1e-6)
    counting, relative = variance(actual, forecast)
    spread = counting * forecast + relative * forecast**2
    if whole:
        scaled = normal_scores(np.rint(actual), forecast, spread, np.random.default_rng(0).random(len(actual)))
    else:
        scaled = (actual - forecast) / np.sqrt(spread)
    month = (horizon - 1) // MONTH
    rows = [scaled[month == m] for m in range(month.max() + 1)]
    quantiles = np.array([np.quantile(own if len(own) >= ENOUGH else scaled, TAILS) for own in rows])
    counting, relative, common = (float(np.float32(value)) for value in (counting, relative, common**2))
    return Dispersion(counting, relative, common, quantiles.astype("f4"), whole)


def variance(actual: np.ndarray, forecast: np.ndarray) -> tuple[float, float]:
    """Least-squares a and b, not negative, of squared error = a f + b f^2, over ten groups of forecasts of like size."""
    order = np.argsort(forecast, kind="stable")
    groups = [part for part in np.array_split(order, 10) if len(part)]
    mean = np.array([forecast[part].mean() for part in groups])
    per_unit = np.array([((actual - forecast)[part] ** 2).mean() for part in groups]) / mean
    slope = float(((mean - mean.mean()) * (per_unit - per_unit.mean())).sum() / max(((mean - mean.mean()) ** 2).sum(), 1e-9))
    relative = max(slope, 0.0)
    counting = max(float((per_unit - relative * mean).mean()), 0.0)
    if relative > 0 and counting == 0:
        relative = float((per_unit / mean).mean())
    return (counting, relative) if counting + relative > 0 else (1.0, 0.0)


def joint_error_of(spread: Dispersion) -> JointError:
    """What the spread of single days says, where nothing is known of sums: what series share lasts, the rest is of each day."""
    relative = np.zeros((len(ERRORS), len(MEMORIES)))
    relative[ERRORS.index("all"), MEMORIES.index("level")] = spread.common
    relative[ERRORS.index("series"), MEMORIES.index("day")] = spread.relative
    return JointError(spread.counting, relative, float(SPELLS), spread.whole)
