"""Days on which a series was closed, judged from the days before."""

from __future__ import annotations

import numpy as np

from demand.cleaning import newcomers
from demand.cleaning.trailing_medians import WEEK, weekday_medians

MEMORY = 28  # days in which the demand that a zero is judged by fades to a third
LEAST_OPEN = 3  # open days before a zero can be judged


def implausible_zeros(sales: np.ndarray, live: np.ndarray, wrong: np.ndarray, probability: float) -> np.ndarray:
    """Zeros before the first sale, and those less likely than `probability` in a negative binomial with the mean and variance of
    the open days so far, the recent ones weighing most. (S, D) bool.

    `wrong` (S, D) bool are outliers: open days of which nobody knows what they sold.
    """
    closed = np.zeros(sales.shape, bool)
    days, weight, total, squares = np.zeros((4, len(sales)))
    ever, top = np.zeros(len(sales), bool), np.zeros((len(sales), 3), "f4")
    stated = live & ~np.isnan(sales) & ~wrong
    for t, (units, has) in enumerate(zip(np.where(live, sales, np.nan).T.astype("f8"), stated.T, strict=True)):
        zero = units == 0
        if zero.any():
            mean, square = total / np.maximum(weight, 1), squares / np.maximum(weight, 1)
            for s in np.flatnonzero(zero & newcomers.wild(top)):
                past = sales[s, :t][stated[s, :t] & ~closed[s, :t]]
                mean[s], square[s] = faded(past[past <= newcomers.OWN * top[s, 2]].astype("f8"))
            over = np.maximum(square - mean**2 - mean, 1e-9 * (1 + mean))  # variance beyond Poisson's
            log_zero = -(mean**2 / over) * np.log1p(over / np.maximum(mean, 1e-9))
            closed[:, t] = zero & (~ever | ((days >= LEAST_OPEN) & (log_zero < np.log(probability))))
        used = has & ~closed[:, t]
        keep = np.where(used, np.exp(-1 / MEMORY), 1.0)
        units = np.where(used, units, 0.0)
        days = days + (used | wrong[:, t])
        weight, total, squares = keep * weight + used, keep * total + units, keep * squares + units**2
        ever |= (units > 0) | wrong[:, t]
        top = newcomers.highest(top, units.astype("f4"))
    return closed


def faded(units: np.ndarray) -> tuple[float, float]:
    """Weighted mean and mean square of open days, oldest first, as `implausible_zeros` adds them up."""
    weights = np.exp(-np.arange(len(units))[::-1] / MEMORY)
    return float(np.average(units, weights=weights)), float(np.average(units**2, weights=weights))


def usually_closed(closed: np.ndarray, stated: np.ndarray, age: np.ndarray, weeks: int) -> np.ndarray:
    """Days on whose weekday most of the last days that are stated were closed, or none ever was stated. (S, D) bool.

    Args:
        closed, stated: (S, D) bool.
        age: (S, D) days since the series began.
        weeks: how many days back on the weekday.
    """
    if stated.all():
        return np.zeros(closed.shape, bool)
    share, count = weekday_medians(closed.astype("f4"), stated, weeks)
    return (share > 0.5) | ((count == 0) & (age >= WEEK))
