"""The factor model: sales of a series on a day = level x weekday x month x what is planned for the day, and the level grows.

It is the part of the forecast that a tree cannot learn: trees do not extrapolate. Factors are fitted by alternating ratios of
sums, the multiplicative form of backfitting; each finer grouping (item, store, series) is pulled towards the coarser one by
empirical Bayes (Efron & Morris 1973): as far as the spread between groups is no more than chance would give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import imul

import numpy as np

from demand.model.base.calendar_effect import CalendarEffect
from demand.model.base.calendar_fit import CalendarFit
from demand.model.base.dispersion import local_squares, pooled_with_own
from demand.model.base.peers import Peers, fit_peers
from demand.model.base.season import seasonal_factors
from demand.model.base.shrinkage import SMALLEST, hierarchical_factors
from demand.panel.attributes import Attributes
from demand.panel.calendar import months, weekdays
from demand.panel.panel import Panel
from demand.panel.running_sums import ratio_of_sums

ROUNDS = 4  # of alternation: the factors change by less than 0.5 % after that
TREND_HALF_WIDTH = 45  # days: the trend that is held apart from the season is a centred mean of 91 days
LARGEST_COVARIATE = 1e15  # absolute value that is told from larger ones: its square is still finite in float32
SEASON_NEEDS = 546  # days of history: below a year and a half, season and growth cannot be told apart


@dataclass(frozen=True)
class Factors:
    """What shapes a series' days.

    Attributes:
        store, item: (S,) ids of the series that were fitted, in the panel's order.
        scale: (S,) units per day: the mean level of each series when the common trend is 1.
        weekday: (S + 1, 7) factors, Monday first, mean 1; the last row is for series that were not fitted.
        month: (S + 1, 12) factors, January first, mean 1; likewise.
        effect: (K,) log units per unit of each known-future column, the same for all series.
        usual: (K,) mean of each column on trading days, where its effect is nothing.
        reach: (K,) the farthest from it that the column was seen: effects are not extrapolated beyond.
        noise: variance of sales per unit of expected sales, around these factors.
        exposure: (S,) days that each series was seen for, weighted by season and trend; empty in models of format 1.
        dispersion: (S,) variance of sales per unit around each series' own level of the time; likewise.
        calendar: effects of the stores' holidays and events; None where there was no calendar.
        attributes: categories of the items and stores that were fitted.
    """

    store: np.ndarray
    item: np.ndarray
    scale: np.ndarray
    weekday: np.ndarray
    month: np.ndarray
    effect: np.ndarray
    usual: np.ndarray
    reach: np.ndarray
    noise: float
    exposure: np.ndarray = field(default_factory=lambda: np.empty(0, "f4"))
    dispersion: np.ndarray = field(default_factory=lambda: np.empty(0, "f4"))
    calendar: CalendarEffect | None = None
    attributes: Attributes | None = None

    def rows(self, panel: Panel) -> np.ndarray:
        """(S',) the row of each of the panel's series in these factors; S, the last, for series that were not fitted."""
        keys = zip(panel.store.tolist(), panel.item.tolist(), strict=True)
        return np.array([self.index.get(key, len(self.index)) for key in keys], int)

    @cached_property
    def index(self) -> dict[tuple[int | str, int | str], int]:
        """The row of each store and item."""
        return {key: row for row, key in enumerate(zip(self.store.tolist(), self.item.tolist(), strict=True))}

    def scale_of(self, panel: Panel) -> np.ndarray:
        """(S',) the scale of each of the panel's series; 0 for series that were not fitted."""
        return np.r_[self.scale, 0][self.rows(panel)]

    @cached_property
    def peers(self) -> Peers:
        """What the peers say of any series."""
        return fit_peers(self.scale.astype("f8"), self.exposure, self.dispersion, self.store, self.item, self.attributes)

    def references(self, panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(S',) each: scale of the panel's series, pulled to their peers where little was seen; the peers' scale; dispersion."""
        rows = self.rows(panel)
        dispersion = np.r_[self.dispersion, np.median(self.dispersion)][rows].astype("f8")
        peers = self.peers.level(panel.store, panel.item, panel.attributes or self.attributes)
        scale, exposure = (np.r_[values, 0][rows].astype("f8") for values in (self.scale, self.exposure))
        prior = dispersion / (self.peers.spread * peers)  # days that the peers count as
        return (scale * exposure + prior * peers) / (exposure + prior), peers, dispersion

    def seasonal_factor(self, panel: Panel) -> np.ndarray:
        """(S', D) float32 weekday x month x planned effects of every series and day of the panel."""
        shape: np.ndarray = reduce(imul, (factor for _, factor in self.parts(panel)))
        return shape if self.calendar is None else self.calendar.applied(shape, panel)

    def parts(self, panel: Panel) -> Iterator[tuple[str, np.ndarray]]:
        """Name and (S', D) float32 of each factor of the seasonal factor but the events: weekday, month, known-future columns."""
        yield "weekday", self.weekday[self.rows(panel)][:, weekdays(panel.dates)]
        yield "month", self.month[self.rows(panel)][:, months(panel.dates)]
        for k in np.flatnonzero(self.effect):
            away = np.nan_to_num(panel.known[:, :, k] - self.usual[k])
            yield f"covariate:{panel.known_names[k]}", np.exp(self.effect[k] * np.clip(away, -self.reach[k], self.reach[k]))


def fit_factors(panel: Panel) -> Factors:
    """The factors of all sales in the panel, in float32: the last bits of exp and log differ between processors."""
    days = panel.column(panel.last_day) + 1
    mask = panel.trading[:, :days]
    sales = np.where(mask, panel.sales[:, :days], 0).astype("f8")
    day, month = weekdays(panel.dates[:days]), months(panel.dates[:days])
    scale = sales.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    groups = [codes(panel.item), codes(panel.store)]
    weekday, season, trend = np.ones((len(scale), 7)), np.ones((len(scale), 12)), np.ones(days)
    common_weekday, common_season = np.ones(7), np.ones(12)
    away, usual, reach = centred(panel.known[:, :days], mask)
    effect, planned = np.zeros(len(usual)), np.ones((1, 1))
    calendar = CalendarFit(panel, days) if panel.events else None
    for turn in range(ROUNDS):
        shape = weekday[:, day] * season[:, month] * mask * planned
        scale = sales.sum(axis=1) / np.maximum((shape * trend).sum(axis=1), 1e-9)
        expected = scale[:, None] * shape * trend
        squares = ((sales - expected) ** 2).sum(axis=1)
        noise = squares.sum() / max(expected.sum(), 1e-9)
        weight = 1 / np.maximum(pooled_with_own(squares, expected.sum(axis=1), mask.sum(axis=1)), 1e-9)[:, None]

        sold, due = by_bin(sales, day, 7), by_bin(expected / np.where(mask, weekday[:, day], 1), day, 7)
        common_weekday, weekday = hierarchical_factors(weight * sold, weight * due, [*groups, np.arange(len(scale))], 1.0)
        expected = scale[:, None] * weekday[:, day] * season[:, month] * mask * planned * trend
        if days >= SEASON_NEEDS:
            bare = weight * expected / np.where(mask, season[:, month], 1)
            sold, due = (by_year_and_month(values, panel.dates[:days]) for values in (weight * sales, bare))
            common_season, season = seasonal_factors(sold, due, groups, pull=turn == ROUNDS - 1)
        expected = scale[:, None] * weekday[:, day] * season[:, month] * mask * planned * trend
        for k, x in enumerate(away):
            step = newton(x, weight * sales, weight * expected)
            effect[k] += step
            planned, expected = planned * np.exp(step * x), expected * np.exp(step * x)
        if calendar:
            moved = calendar.step(weight * sales, weight * expected)
            planned, expected = planned * moved, expected * moved
        expected = expected / trend
        sold, due = ((weight * values).sum(axis=0) for values in (sales, expected))
        trend = np.maximum(smooth_ratio(sold, due, TREND_HALF_WIDTH), SMALLEST)
    exposure = (shape * trend).sum(axis=1)
    around = pooled_with_own(local_squares(sales, expected), expected.sum(axis=1), mask.sum(axis=1))
    return Factors(panel.store, panel.item, scale.astype("f4"), np.vstack([weekday, common_weekday]).astype("f4"),
                   np.vstack([season, common_season]).astype("f4"), effect.astype("f4"), usual, reach, float(np.float32(noise)),
                   exposure.astype("f4"), around.astype("f4"), calendar.effect if calendar else None, panel.attributes)


def centred(known: np.ndarray, mask: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Known-future columns (S, D, K) as K distances (S, D) from their mean on the trading days, those means, and the farthest."""
    columns = [np.where(mask, bounded(known[:, :, k]), np.nan) for k in range(known.shape[2])]
    seen = [~np.isnan(x) for x in columns]
    usual = np.array([x[s].mean(dtype="f8") if s.any() else 0 for x, s in zip(columns, seen, strict=True)], "f4")
    away = [np.nan_to_num(x - u) for x, u in zip(columns, usual, strict=True)]
    return away, usual, np.array([np.abs(x).max() for x in away], "f4")


def bounded(known: np.ndarray) -> np.ndarray:
    """Known-future values of any size, at most LARGEST_COVARIATE in absolute value."""
    return np.clip(known, -LARGEST_COVARIATE, LARGEST_COVARIATE)


def newton(x: np.ndarray, sales: np.ndarray, expected: np.ndarray) -> float:
    """The step towards the log-linear effect of `x` (S, D) on sales; at most a factor of 2 for the farthest x."""
    curvature = float((x * x * expected).sum())
    if curvature <= 0:
        return 0.0
    limit = np.log(2) / float(np.abs(x).max())
    return float(np.clip((x * (sales - expected)).sum() / curvature, -limit, limit))


def by_bin(values: np.ndarray, bins: np.ndarray, n: int) -> np.ndarray:
    """(S, D) summed over the days of each bin: (S, n)."""
    return np.stack([values[:, bins == b].sum(axis=1) for b in range(n)], axis=1)


def by_year_and_month(values: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """(S, D) summed over the days of each month: (S, Y, 12)."""
    year = dates.astype("M8[Y]").astype(int)
    years = int(year[-1] - year[0]) + 1
    return by_bin(values, (year - year[0]) * 12 + months(dates), 12 * years).reshape(len(values), years, 12)


def smooth_ratio(sold: np.ndarray, due: np.ndarray, half: int) -> np.ndarray:
    """(D,) ratio of the centred moving sums over 2 half + 1 days, over fewer at the ends."""
    n = np.arange(len(sold))
    low, high = np.maximum(n - half, 0), np.minimum(n + half + 1, len(sold))
    sums = [np.r_[0, np.cumsum(values)] for values in (sold, due)]
    return ratio_of_sums(*(total[high] - total[low] for total in sums))


def codes(ids: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... for ids of any type."""
    return np.unique(ids, return_inverse=True)[1]
