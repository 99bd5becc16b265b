"""Outliers among the sales: values that neither the series' past nor the other series' same day can explain.

A value is an outlier if it exceeds what was expected by `outlier_factor` and by `outlier_z` robust standard deviations. Expected
is the median of the same weekday's last weeks, raised by whatever makes a high value believable: the level that one in ten series
reached that day, the same item in other stores, other items of the same store, and a level that rose lately.
A day like those that the series has seen several times in a year, or at this time of last year, is demand. Where the known-future
columns announce something unusual, earlier days of the kind say what it brings; the first few may reach the square of the factor.
Days that a series' own history cannot judge are for demand/cleaning/newcomers.py.
"""

from __future__ import annotations

import numpy as np

from demand.cleaning import newcomers
from demand.cleaning.prepare_params import PrepareParams
from demand.cleaning.trailing_medians import last_days, last_valid, row_medians, sorted_medians

LEAST_WEEKS = 3  # sales on the weekday before a day can be judged
SELLING = 0.75  # of the open days with sales, for a series to have a usual day
SHIFT = 3  # open days before, whose median tells a new level
LEAST_SCALE = 7  # days with an expectation before a day can be judged
SEASON = 84  # days that tell how much a series scatters
YEAR, AROUND = 364, 3
SIMILAR = 0.5  # of the excess, to be a day like it
RECURRING = 6  # such days in a year
PRECEDENTS = 3  # days in a year with the same announcement
CELLS = 1 << 22  # of the largest temporary array


def outliers(sales: np.ndarray, observed: np.ndarray, expected: np.ndarray, weeks: np.ndarray, store: np.ndarray,
             item: np.ndarray, known: np.ndarray, rules: PrepareParams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outliers' rows and columns (N,), and the highest believable value of each (N,) float32.

    Args:
        sales, observed: (S, D) units per day, and where they are sales of an open day.
        expected, weeks: (S, D) trailing weekday medians, and of how many values.
        store, item: (S,) ids.
        known: (S, D, K) known-future columns.
    """
    judged = observed & (weeks >= LEAST_WEEKS) & (expected > 0)
    ratio = np.divide(sales, expected, out=np.full(sales.shape, np.nan, "f4"), where=judged)
    usual, upper = day_levels(ratio)
    excess = ratio / np.maximum(upper, 1)
    own = ratio / usual
    residual = anscombe(sales) - anscombe(expected * usual)
    residual[~judged] = np.nan
    rows, columns = np.nonzero(excess > rules.outlier_factor)
    limits = np.empty(len(rows), "f4")
    groups = [np.unique(ids, return_inverse=True)[1] for ids in (store, item)]
    step = max(1, CELLS // max(YEAR, len(sales)))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        row, column = rows[part], columns[part]
        raised = shared_rise(ratio, upper, groups, row, column)
        shift = row_medians(last_valid(last_days(own, row, column, SEASON), SHIFT))
        believed = expected[row, column] * raised * np.fmax(shift, 1)
        scale = usual_scatter(residual, row, column)
        announced, precedent = planned(known, excess, row, column)
        believed *= np.fmax(precedent, 1)
        factor = rules.outlier_factor ** (1 + (announced & np.isnan(precedent)))
        limit = np.maximum(factor * believed, ((anscombe(believed) + rules.outlier_z * scale) / 2) ** 2 - 3 / 8)
        limit[seen_before(excess, row, column) | intermittent(sales, observed, row, column)] = np.inf
        limits[part] = limit
    wrong, unjudged = sales[rows, columns] > limits, observed & ~judged
    unjudged[rows, columns] = np.isinf(limits)
    others = newcomers.implausible(sales, observed, unjudged, store, item)
    own = rows[wrong], columns[wrong], limits[wrong]
    return tuple(np.concatenate(pair) for pair in zip(own, others, strict=True))  # type: ignore[return-value]


def anscombe(units: np.ndarray) -> np.ndarray:
    """A scale on which Poisson counts scatter by 1, whatever their mean (Anscombe 1948)."""
    return 2 * np.sqrt(units + np.float32(3 / 8))


def day_levels(ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the series did on each day against their expectations (S, D): the median, and what one in ten of them reached.

    Both (D,), 1 where too few series are open: under five for the median, one for the upper level.
    """
    ordered = np.sort(ratio.T, axis=1)
    usual = sorted_medians(ordered)
    n = (~np.isnan(ordered)).sum(axis=1)
    upper = ordered[np.arange(len(n)), np.maximum(n - 1 - (n + 9) // 10, 0)]
    return np.where((n >= 5) & (usual > 0), usual, 1).astype("f4"), np.where(n >= 2, upper, 1).astype("f4")


def shared_rise(ratio: np.ndarray, upper: np.ndarray, groups: list[np.ndarray], row: np.ndarray,
                column: np.ndarray) -> np.ndarray:
    """How far other series justify a high value that day (M,): one in ten of all, or the median of a group; at least 1."""
    rise = np.maximum(upper[column], 1)
    for group in groups:
        rise = np.fmax(rise, peers(ratio, group, row, column))
    return rise


def usual_scatter(residual: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Robust standard deviation of the last days' residuals (M,), at least 1; infinite where too few can tell."""
    scatter = np.abs(last_days(residual, row, column, SEASON))
    scale = np.maximum(1, 1.4826 * row_medians(scatter))
    scale[(~np.isnan(scatter)).sum(axis=1) < LEAST_SCALE] = np.inf
    return scale


def peers(ratio: np.ndarray, group: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """The median ratio that day of the other series of the same group; (M,), NaN where there is none."""
    others = (group[row][:, None] == group) & (row[:, None] != np.arange(len(group)))
    return row_medians(np.where(others, ratio[:, column].T, np.nan))


def planned(known: np.ndarray, excess: np.ndarray, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether a known-future column is unusual for the series that day (M,) bool; the median excess of its days like it (M,).

    The latter is NaN with fewer than PRECEDENTS in a year.
    """
    if not known.shape[2]:
        return np.zeros(len(row), bool), np.full(len(row), np.nan)
    past, today = last_days(known, row, column, YEAR), known[row, column]
    unusual = (today != row_medians(np.swapaxes(past[:, -SEASON:], 1, 2))).any(axis=1)
    alike = np.where((past == today[:, None]).all(axis=2), last_days(excess, row, column, YEAR), np.nan)
    return unusual, np.where((~np.isnan(alike)).sum(axis=1) >= PRECEDENTS, row_medians(alike), np.nan)


def seen_before(excess: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Whether the series had such a day at this time of last year, or several within a year, (M,) bool."""
    past = last_days(excess, row, column, YEAR + AROUND)
    similar = past >= SIMILAR * excess[row, column][:, None]
    return similar[:, : 2 * AROUND + 1].any(axis=1) | (similar[:, AROUND:].sum(axis=1) >= RECURRING)


def intermittent(sales: np.ndarray, observed: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Whether the series sold on too few of its last open days to have a usual one, (M,) bool."""
    days = last_days(observed.astype("f4"), row, column, SEASON) > 0
    sold = days & (last_days(sales, row, column, SEASON) > 0)
    return sold.sum(axis=1) < SELLING * days.sum(axis=1)
