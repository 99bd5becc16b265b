"""Off sale: runs of days without a sale that demand does not explain, judged by what the series sold before them.

While a series is on sale, a share of its days has no sale. That share is beta-distributed after the days before the run, so a
run of n days without a sale has a known probability. It competes with the chance that the series went off sale on one of these
days (a hidden Markov chain whose only way back is a sale). A day without a row counts as one without a sale where the store has
its usual rows; no other sales of other series are read, but for the pooled `OffSaleRates`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.model.base.log_gamma import log_gamma
from demand.panel.panel import FILLED, OPEN, Panel, is_stated
from demand.panel.running_sums import running_sums

BEFORE = 84  # days before a run that its series is judged by
STEADY = 20  # days with a sale count as so many at most: levels wander
SHORTEST = 7  # days of a run that can be off sale
ODDS = 99
RETURN_AFTER = (7, 14, 28, 56, 112, 224)  # days of a run, from which each hazard of return holds
ENDED = 0.02  # chance to be on sale, below which it is none
USUAL_DAYS = 28  # that a store's usual number of rows is the mean of


@dataclass(frozen=True)
class OffSaleRates:
    """Chances per day, over all series.

    Attributes:
        leave: to go off sale.
        comeback: to come back, per length of the run (RETURN_AFTER), of runs with rows that state zeros.
        relisted: likewise, of runs that are mostly days without a row.
    """

    leave: float = 0.001
    comeback: tuple[float, ...] = (0.03, 0.02, 0.01, 0.005, 0.003, 0.001)
    relisted: tuple[float, ...] = (0.03, 0.02, 0.01, 0.005, 0.003, 0.001)


@dataclass(frozen=True)
class Runs:
    """R runs of days without a sale, after a first sale.

    Attributes:
        series, start, stop: (R,) positions of the series, of the first day, and of the day after the last.
        days: (R,) days of the run that tell something.
        unlisted: (R,) bool, most of them have no row.
        lasts: (R,) bool, whether it goes on up to the end.
        odds: (R,) of off sale against on sale.
    """

    series: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    days: np.ndarray
    unlisted: np.ndarray
    lasts: np.ndarray
    odds: np.ndarray

    @property
    def off(self) -> np.ndarray:
        """(R,) bool."""
        return (self.odds > ODDS) & (self.days >= SHORTEST)


def store_trades(panel: Panel) -> np.ndarray:
    """(S, D) bool: the store of each series has at least half of its usual rows on that day (mean of the USUAL_DAYS before)."""
    row = is_stated(panel.status)
    names, store = np.unique(panel.store, return_inverse=True)
    rows = np.zeros((len(names), row.shape[1]), "f4")
    np.add.at(rows, store, row)
    before = running_sums(rows)
    start = np.maximum(np.arange(rows.shape[1]) - USUAL_DAYS, 0)
    usual = (before[:, :-1] - before[:, start]) / USUAL_DAYS
    return np.asarray(((rows > 0) & (rows >= usual / 2))[store])


def silent_runs(panel: Panel, end: int, leave: float, trades: np.ndarray, hidden: np.ndarray | None = None) -> Runs:
    """All runs of at least SHORTEST days without a sale up to position `end`.

    Args:
        trades: store_trades of the panel that these series are of.
        hidden: (S, end + 1) bool, days that no run is judged by.
    """
    status, sales = panel.status[:, : end + 1], np.nan_to_num(panel.sales[:, : end + 1])
    row = is_stated(status)
    stated = row | ((status == FILLED) & trades[:, : end + 1])
    if OPEN in panel.known_names:
        stated &= panel.known[:, : end + 1, panel.known_names.index(OPEN)] != 0
    sold = (sales > 0) & stated & row
    series, day = np.nonzero(np.pad(sold, ((0, 0), (0, 1)), constant_values=True))
    start, stop = day[:-1] + 1, day[1:]
    long = (series[:-1] == series[1:]) & (stop - start >= SHORTEST)
    series, start, stop = series[:-1][long], start[long], stop[long]
    days, listed = (total[series, stop] - total[series, start] for total in counts(stated, stated & row))
    keep = days >= SHORTEST
    series, start, stop, days, listed = (values[keep] for values in (series, start, stop, days, listed))
    counted = stated if hidden is None else stated & ~hidden
    first = np.maximum(start - BEFORE, 0)
    seen, with_sale = (total[series, start] - total[series, first] for total in counts(counted, counted & sold))
    return Runs(series, start, stop, days, 2 * listed < days, stop == end + 1, off_odds(seen, with_sale, days, leave))


def counts(*days: np.ndarray) -> list[np.ndarray]:
    """(S, D + 1) int: how many of the days (S, D) bool lie before each day."""
    return [np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0))) for values in days]


def off_odds(seen: np.ndarray, with_sale: np.ndarray, days: np.ndarray, leave: float) -> np.ndarray:
    """(R,) odds of off sale after `days` without a sale, where `with_sale` of the `seen` days before had one."""
    weight = np.minimum(1, STEADY / np.maximum(with_sale, 1))
    a, b = weight * with_sale + 1.5, weight * (seen - with_sale) + 0.5
    silence = np.exp(log_gamma(b + days) + log_gamma(a + b) - log_gamma(b) - log_gamma(a + b + days))
    on_days = ((a + b - 1) - silence * (a + b + days - 1)) / (a - 1)  # mean length of a run, cut at `days`
    return leave * on_days / np.maximum(silence, 1e-300)


def fit_off_sale(panel: Panel, end: int) -> OffSaleRates:
    """The pooled rates, from all runs up to position `end`, in float32."""
    rates, trades = OffSaleRates(), store_trades(panel)
    on_days = int(panel.trading[:, : end + 1].sum())
    for _ in range(2):
        runs = silent_runs(panel, end, rates.leave, trades)
        leave = float(np.clip((runs.off.sum() + 1) / (on_days + 1000), 1e-5, 0.01))
        rates = OffSaleRates(float(np.float32(leave)), hazards(runs, runs.off & ~runs.unlisted),
                             hazards(runs, runs.off & runs.unlisted))
    return rates


def hazards(runs: Runs, use: np.ndarray) -> tuple[float, ...]:
    """Chance per day to come back, per length of the run, over the runs `use` (R,) bool; each prior is worth one return."""
    length, returned = runs.days[use], ~runs.lasts[use]
    chances = []
    for low, high, prior in zip(RETURN_AFTER, (*RETURN_AFTER[1:], 10_000), OffSaleRates.comeback, strict=True):
        at_risk = float((np.clip(length, low, high) - low).sum())
        back = float((returned & (length >= low) & (length < high)).sum())
        chances.append(float(np.float32((back + 1) / (at_risk + 1 / prior))))
    return tuple(chances)


def judged(panel: Panel, end: int, rates: OffSaleRates, trades: np.ndarray | None = None) -> Runs:
    """The runs, each series judged by the days before that were not off sale themselves.

    Args:
        trades: store_trades, for when the panel holds only some of the series.
    """
    trades = store_trades(panel) if trades is None else trades
    runs = silent_runs(panel, end, rates.leave, trades)
    return silent_runs(panel, end, rates.leave, trades, off_days(panel, end, runs)) if runs.off.any() else runs


def off_days(panel: Panel, end: int, runs: Runs) -> np.ndarray:
    """(S, end + 1) bool: the days of the runs that are off sale."""
    change = np.zeros((panel.n_series, end + 2), "i4")
    np.add.at(change, (runs.series[runs.off], runs.start[runs.off]), 1)
    np.add.at(change, (runs.series[runs.off], runs.stop[runs.off]), -1)
    return np.cumsum(change, axis=1)[:, : end + 1] > 0


def without_off_sale(panel: Panel, end: int, rates: OffSaleRates, trades: np.ndarray | None = None) -> tuple[Panel, Runs]:
    """The panel where days off sale are unknown, so that they teach nothing, and the runs; the very same panel without any."""
    runs = judged(panel, end, rates, trades)
    if not runs.off.any():
        return panel, runs
    off = off_days(panel, end, runs)
    sales, status = panel.sales.copy(), panel.status.copy()
    sales[:, : end + 1][off], status[:, : end + 1][off] = np.nan, FILLED
    return replace(panel, sales=sales, status=status), runs


def chance_on_sale(runs: Runs, series: int, horizon: int, rates: OffSaleRates) -> np.ndarray:
    """(S, H) chance that each series is on sale on each of the `horizon` days after the end that the runs were found up to."""
    chance = np.ones((series, horizon), "f4")
    last = np.flatnonzero(runs.lasts)
    if not len(last):
        return chance
    length = runs.days[last][:, None] + np.arange(1, horizon + 1)
    bins = np.searchsorted(RETURN_AFTER, length, side="right") - 1
    hazard = np.where(runs.unlisted[last][:, None], np.array(rates.relisted)[bins], np.array(rates.comeback)[bins])
    away = np.cumprod(1 - hazard, axis=1)
    off = (runs.odds[last] / (1 + runs.odds[last]))[:, None]
    on = 1 - off * away
    chance[runs.series[last]] = np.where(on < ENDED, 0, on)
    return chance
