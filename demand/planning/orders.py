"""What to order now, so that stock lasts: an order-up-to policy with periodic review.

An order that is placed now arrives after the lead time; the next one is placed a review period later, and arrives a lead time
after that. So stock on hand and on order must last for lead time + review period: the protection interval. The order-up-to level
is the quantile of the demand over it at the service level: the probability not to run out in a cycle, P1 of Silver, Pyke & Thomas
(2017), Inventory and Production Management in Supply Chains. Nothing is optimised: what service costs is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from demand.distribution.joint_error import JointError
from demand.distribution.sums import forecast_sums

MOST = 1e9  # units
SERVICE = (0.001, 0.999)  # beyond, a quantile rests on nothing that was seen
ROUNDING = 1e-9  # packs: 1.1 / 0.1 is more than 11


@dataclass(frozen=True)
class OrderTerms:
    """What is known of N series, each an (N,) array.

    Attributes:
        lead_time: whole days from an order to its arrival; 0 where it is there before the next day's sales.
        review_period: whole days from this order to the next one, from 1.
        service_level: probability not to run out in a cycle.
        on_hand: units in stock; less than 0 where they are owed to customers.
        on_order: units that were ordered and have not arrived.
        pack_size: units that an order is a multiple of; NaN where it may be any quantity.
        minimum_order: units of the smallest order.
    """

    lead_time: np.ndarray
    review_period: np.ndarray
    service_level: np.ndarray
    on_hand: np.ndarray
    on_order: np.ndarray
    pack_size: np.ndarray
    minimum_order: np.ndarray

    @property
    def days(self) -> np.ndarray:
        """(N,) the protection interval."""
        return self.lead_time + self.review_period


KEYS = tuple(field.name for field in fields(OrderTerms))


@dataclass(frozen=True)
class Orders:
    """(N,) each, units: the forecast of the protection interval, the order-up-to level and the quantity to order now."""

    forecast: np.ndarray
    order_up_to: np.ndarray
    quantity: np.ndarray


def wrong_terms(terms: OrderTerms, horizon: int) -> list[tuple[str, int, str]]:
    """The first row in which a key cannot be used, and why, for each key: (key, row, message), row from 0."""
    def is_whole(days: np.ndarray) -> np.ndarray:
        return days == np.rint(days)

    low, high = SERVICE
    rules = [
        ("lead_time", is_whole(terms.lead_time) & (terms.lead_time >= 0), "must be whole days, 0 or more"),
        ("review_period", is_whole(terms.review_period) & (terms.review_period >= 1), "must be whole days, 1 or more"),
        ("lead_time", ~(terms.days > horizon), f"and the review period are more than the {horizon} days that are forecast"),
        ("service_level", (terms.service_level >= low) & (terms.service_level <= high),
         f"must be a probability from {low} to {high}: 0.95 not to run out in 95 % of the cycles"),
        ("on_hand", np.abs(terms.on_hand) <= MOST, f"must be units, at most {MOST:,.0f}"),
        ("on_order", (terms.on_order >= 0) & (terms.on_order <= MOST), f"must be units, 0 to {MOST:,.0f}"),
        ("pack_size", np.isnan(terms.pack_size) | (terms.pack_size > 0) & (terms.pack_size <= MOST),
         f"must be units, more than 0 and at most {MOST:,.0f}"),
        ("minimum_order", (terms.minimum_order >= 0) & (terms.minimum_order <= MOST), f"must be units, 0 to {MOST:,.0f}"),
    ]
    return [(key, int(np.argmin(right)), f"{getattr(terms, key)[np.argmin(right)]:g} {message}")
            for key, right, message in rules if not right.all()]


def plan_orders(error: JointError, units: np.ndarray, store: np.ndarray, item: np.ndarray, terms: OrderTerms) -> Orders:
    """What to order of each of N series at the end of the forecast's origin.

    Args:
        units: (N, H) forecast of the days after the origin; H is no shorter than the longest protection interval.
        store, item: (N,) int codes from 0.
        terms: without `wrong_terms`.
    """
    longest = int(terms.days.max(initial=0))
    protected = np.where(np.arange(longest) < terms.days[:, None], units[:, :longest], 0)
    demand = forecast_sums(error, protected, 1, store, item, np.arange(len(units)))
    level = demand.quantiles(terms.service_level[:, None], inwards=False)[:, 0]
    return Orders(demand.mean, level, order_quantities(level, terms))


def order_quantities(order_up_to: np.ndarray, terms: OrderTerms) -> np.ndarray:
    """(N,) units that bring stock on hand and on order up to the level (N,): whole packs, and no less than the smallest order."""
    missing = np.maximum(order_up_to - terms.on_hand - terms.on_order, 0)
    least = np.where(missing > 0, np.maximum(missing, terms.minimum_order), 0)
    packs = np.ceil(least / terms.pack_size - ROUNDING)
    return np.where(np.isnan(terms.pack_size), least, packs * terms.pack_size)
