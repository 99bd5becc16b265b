"""What makes a catalogue irregular: mixed speeds, prices, launches, endings, stock-outs and giant orders.

Arrays are days × series (D, S), drawn day after day, so that more days only append. Effects are in log units and add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LAUNCHED, LAUNCH_DAYS = 0.5, 1826  # share of the series that launch after the first day, within so many days
LAUNCH_FADES = 45  # days in which the effect of a launch falls by e
LIFE = 4000  # days, mean of those that a series is on sale; the shortest is FEWEST
FEWEST = 28
STOCK_OUTS, SHORTEST, LONGEST = 0.4, 7, 182  # per series and year, days
DISCOUNTS, DISCOUNT_DAYS = 2.5, (7, 22)  # per series and year
REPRICED = 1.0  # per series and year
TAIL = 2.0  # exponent of the Pareto distribution of giant orders
GIANT = 5.0  # smallest giant order, in usual days


@dataclass(frozen=True)
class Catalogue:
    """D days × S series.

    Attributes:
        effect: (D, S) what speed, price and age add to log sales.
        price: (D, S) currency units, known on every day.
        on_sale: (D, S) bool, False before the launch, out of stock, and after the end.
        row: (D, S) bool, False before the launch, and after the end of the series whose rows end.
    """

    effect: np.ndarray
    price: np.ndarray
    on_sale: np.ndarray
    row: np.ndarray


def draw_catalogue(rng: np.random.Generator, days: int, store: np.ndarray, item: np.ndarray) -> Catalogue:
    """The catalogue of series of these stores and items, (S,) from 0."""
    speeds, prices, lives, outs = rng.spawn(4)
    price, price_effect = draw_prices(prices, days, store, item)
    launch, end, rows_end, boost = draw_lives(lives, len(store))
    day = np.arange(days)[:, None]
    age = np.maximum(day - launch, 0)
    launched, ended = day >= launch, day >= end
    out = spells(outs, days, len(store), STOCK_OUTS, (SHORTEST, LONGEST + 1)) & (age >= FEWEST)
    curve = np.where(launch > 0, boost * np.exp(-age / LAUNCH_FADES), 0)
    effect = draw_speeds(speeds, item) + price_effect + curve
    return Catalogue(effect, price, launched & ~ended & ~out, launched & ~(ended & rows_end))


def draw_speeds(rng: np.random.Generator, item: np.ndarray) -> np.ndarray:
    """(S,) spread of the series' levels beyond `effects.levels`, the median at 0: a few fast ones, many slow ones."""
    by_item, by_series = rng.spawn(2)
    speed = by_item.normal(0, 1.0, item.max() + 1)[item] + by_series.normal(0, 0.6, len(item))
    return speed - np.median(speed)


def draw_prices(rng: np.random.Generator, days: int, store: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prices (D, S) and what they do to log sales (D, S): a usual price per item, repriced now and then, and discounts."""
    levels, elasticities, stores, jumps, sizes, discounts, depths = rng.spawn(7)
    usual = np.exp(levels.normal(1.2, 0.7, item.max() + 1))[item]
    elasticity = elasticities.normal(1.6, 0.5, item.max() + 1)[item] + stores.normal(0, 0.2, store.max() + 1)[store]
    shape = days, len(item)
    moves = np.cumsum((jumps.random(shape) < REPRICED / 365) * sizes.normal(0.03, 0.08, shape), axis=0)
    depth = depths.uniform(0.1, 0.35, len(item))
    moves += np.log1p(-depth) * spells(discounts, days, len(item), DISCOUNTS, DISCOUNT_DAYS)
    price = np.maximum(np.round(usual * np.exp(moves), 2), 0.01)
    return price, -np.maximum(elasticity, 0) * np.log(price / usual)


def draw_lives(rng: np.random.Generator, series: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(S,) each: day of the launch (0: there from the start), first day after the end, whether rows end, effect of the launch."""
    late, when, length, coding, height = rng.spawn(5)
    launch = np.where(late.random(series) < LAUNCHED, when.integers(1, LAUNCH_DAYS, series), 0)
    end = launch + FEWEST + length.exponential(LIFE, series).astype(int)
    return launch, end, coding.random(series) < 0.5, height.normal(0.3, 0.5, series)


def spells(rng: np.random.Generator, days: int, series: int, per_year: float, length: tuple[int, int]) -> np.ndarray:
    """(D, S) bool: within a spell that began by chance; lengths in days are log-uniform on [shortest, longest)."""
    starts, lengths = rng.spawn(2)
    begins = starts.random((days, series)) < per_year / 365
    shortest, longest = np.log(length)
    last = np.exp(lengths.uniform(shortest, longest, (days, series))).astype(int)
    until = np.maximum.accumulate(np.where(begins, np.arange(days)[:, None] + last, 0), axis=0)
    return np.arange(days)[:, None] < until


def giant_orders(rng: np.random.Generator, mean: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Single orders of many times a day's sales, units (D, S) int64, and their expected value (D, S).

    A share of the days has one, of GIANT × (1 + Pareto) days' sales: the variance of the sizes is infinite.
    """
    days, sizes, counting = rng.spawn(3)
    size = GIANT * mean * (1 + sizes.pareto(TAIL, mean.shape))
    ordered = counting.poisson(np.minimum(size, 1e9)) * (days.random(mean.shape) < share)
    return ordered, share * GIANT * mean * TAIL / (TAIL - 1)
