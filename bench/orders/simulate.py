"""Stock of every series under order-up-to levels, day by day, as sales were; what stock cannot serve is lost.

Once a week, at the end of the day, each series orders up to its level; the order arrives after the lead time. A cycle is the week
from an arrival to the next: it is served when stock never ran out in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REVIEW = 7  # days


@dataclass(frozen=True)
class Outcome:
    """`service`: % of the cycles without a stock-out; `stock`: mean units at the end of a day; `lost`: % of sales."""

    service: float
    stock: float
    lost: float


def simulate(levels: np.ndarray, sales: np.ndarray, lead_time: int) -> Outcome:
    """The outcome over all series.

    Args:
        levels: (W, S) order-up-to level of each series at each weekly review.
        sales: (S, D) units per day from the day after the first review on; NaN where unknown: nothing is asked for then.
        lead_time: days.
    """
    weeks, series = levels.shape
    stock, arriving = levels[0].astype("f8").copy(), np.zeros((lead_time + 1, series))
    warm = lead_time + REVIEW  # days until the first order has arrived
    short = np.zeros((weeks * REVIEW, series), bool)
    asked = lost = held = 0.0
    for day in range(weeks * REVIEW):
        if day % REVIEW == 0:
            order = np.maximum(levels[day // REVIEW] - stock - arriving.sum(axis=0), 0)
            arriving[lead_time] += order
        stock += arriving[0]
        arriving = np.roll(arriving, -1, axis=0)
        arriving[-1] = 0
        demand = np.nan_to_num(sales[:, day])
        missed = np.maximum(demand - stock, 0)
        stock = np.maximum(stock - demand, 0)
        short[day] = missed > 0
        if day >= warm:
            asked, lost, held = asked + demand.sum(), lost + missed.sum(), held + stock.sum()
    cycles = short[warm:warm + (len(short) - warm) // REVIEW * REVIEW].reshape(-1, REVIEW, series).any(axis=1)
    return Outcome(float(100 * (1 - cycles.mean())), held / (len(short) - warm), 100 * lost / max(asked, 1e-9))
