"""What the demo's sales are made of: levels, weekdays, season, growth, opening days, promotions and noise of a chain of stores.

Arrays are days × series (D, S), drawn day after day, so that more days only append. Effects are in log units and add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dateutil.easter import easter

from demand.panel.calendar import weekdays

DAY = np.timedelta64(1, "D")
FIXED_HOLIDAYS = ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))
EASTER_HOLIDAYS = (-2, 1, 39, 50)  # Good Friday, Easter Monday, Ascension, Whit Monday: days from Easter Sunday
REGIONAL_HOLIDAYS = ((1, 6), (11, 1))
SUNDAY = 6


@dataclass(frozen=True)
class Trade:
    """How a kind of shop sells: relative sales Monday … Sunday, and how much of `seasonality` is summer and December."""

    weekdays: tuple[float, ...]
    summer: float
    december: float
    month_edge: float


SEVEN_DAYS = Trade((0.80, 0.92, 0.92, 0.99, 1.05, 1.13, 1.19), summer=1.0, december=0.5, month_edge=0.0)
SIX_DAYS = Trade((1.05, 0.99, 0.96, 0.99, 1.06, 0.98, 1.20), summer=0.2, december=1.4, month_edge=0.08)


def days_in(first: np.datetime64, years: float) -> int:
    """Days from `first` in so many years: whole ones by the calendar, the rest at 365.25 days."""
    month = first.astype("datetime64[M]")
    end = (month + 12 * int(years)).astype("datetime64[D]") + (first - month.astype("datetime64[D]"))
    return max(1, int((end - first).astype(int)) + round((years - int(years)) * 365.25))


def levels(rng: np.random.Generator, store: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(S,) lognormal spread of stores, items and their pairs, the median series at 0."""
    by_store, by_item = rng.normal(0, 0.3, store.max() + 1), rng.normal(0, 0.5, item.max() + 1)
    level = by_store[store] + by_item[item] + rng.normal(0, 0.08, len(store))
    return level - np.median(level)


def weekday_profiles(rng: np.random.Generator, trade: Trade, store: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(7, S): the trade's week, varied by item and a little by store."""
    by_item = rng.normal(0, 0.06, (7, item.max() + 1))
    by_item -= by_item.mean(axis=1, keepdims=True)
    return np.log(trade.weekdays)[:, None] + by_item[:, item] + rng.normal(0, 0.03, (7, store.max() + 1))[:, store]


def yearly_waves(rng: np.random.Generator, trade: Trade, dates: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(D, S): summer, with its own height and peak for each item, and the weeks before Christmas; about -1 … 1."""
    n = item.max() + 1
    height, peak = trade.summer * rng.uniform(0.6, 1.4, n), rng.normal(195, 12, n)
    day = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)[:, None]
    angle = 2 * np.pi * (day - peak) / 365.25
    christmas = np.where(day <= 358, np.exp(-(((day - 354) / 14.0) ** 2)), 0.0)
    return (height * (np.cos(angle) + 0.15 * np.cos(2 * angle)) + trade.december * christmas)[:, item]


def growth(rng: np.random.Generator, dates: np.ndarray, per_year: float) -> np.ndarray:
    """(D,): steady growth whose rate varies a little from one calendar year to the next; 0 on the first day."""
    year = dates.astype("datetime64[Y]").astype(int)
    rate = np.log1p(per_year) * rng.normal(1, 0.25, int(year[-1] - year[0]) + 1)[year - year[0]] / 365.25
    return np.cumsum(rate) - rate[0]


def wander(rng: np.random.Generator, days: int, series: int, noise: float) -> np.ndarray:
    """(D, S): autocorrelated moves, over days and over seasons, of each series and of the whole chain; sd about 0.7 × noise."""
    daily, seasonal, chain = rng.spawn(3)
    moves = 0.5 * autocorrelated(daily, days, series, memory=5) + 0.45 * autocorrelated(seasonal, days, series, memory=200)
    return noise * (moves + 0.2 * autocorrelated(chain, days, 1, memory=20))


def autocorrelated(rng: np.random.Generator, days: int, series: int, memory: float) -> np.ndarray:
    """(D, S) stationary AR(1) of sd 1 whose correlation falls by e in `memory` days."""
    keep = np.exp(-1 / memory)
    moves = rng.standard_normal((days, series))
    moves[1:] *= np.sqrt(1 - keep**2)
    for day in range(1, days):
        moves[day] += keep * moves[day - 1]
    return moves


def level_shifts(rng: np.random.Generator, days: int, series: int, share: float) -> np.ndarray:
    """(D, S): for a share of the series, a lasting jump of sd 0.25 about once a year on a random day."""
    which, when, size = rng.spawn(3)
    jump = (which.random(series) < share) & (when.random((days, series)) < 1 / 365)
    return np.cumsum(jump * size.normal(0, 0.25, (days, series)), axis=0)


def promotions(rng: np.random.Generator, dates: np.ndarray, series: int) -> tuple[np.ndarray, np.ndarray]:
    """When the chain promotes (D, S bool) and what it brings each series (D, S): about +40 %, most on Mondays.

    Monday to Friday of every second week, with one week in eight the other way round.
    """
    effect, calendar = rng.spawn(2)
    uplift = np.log(1.39) * effect.normal(1, 0.12, series)
    week = (dates.astype(int) + 3) // 7
    week -= week[0]
    on = (week % 2 == 0) ^ (calendar.random(week[-1] + 1) < 1 / 8)[week]
    by_weekday = np.array([1.4, 1.1, 0.95, 0.8, 0.75, 0, 0])[weekdays(dates)]
    return np.repeat((on & (weekdays(dates) < 5))[:, None], series, axis=1), by_weekday[:, None] * uplift


def opening(rng: np.random.Generator, dates: np.ndarray, store: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Opening days and the busy days before a holiday, both (D, S) bool: most stores rest on Sundays, all on public holidays."""
    stores = store.max() + 1
    on_sundays, regional = rng.random(stores) < 0.03, rng.random(stores) < 0.35
    days = np.append(dates, dates[-1] + DAY)
    holiday = public_holidays(days)[:, None] | (holidays_on(days, REGIONAL_HOLIDAYS)[:, None] & regional)
    sunday = (weekdays(days) == SUNDAY)[:, None]
    closed = holiday | (sunday & ~on_sundays)
    eve = holiday[1:] & ~sunday[1:]
    return ~closed[:-1][:, store], (eve & ~closed[:-1])[:, store]


def public_holidays(dates: np.ndarray) -> np.ndarray:
    """(D,) bool: the holidays of the whole country, fixed and around Easter."""
    years = np.unique(dates.astype("datetime64[Y]").astype(int) + 1970)
    moving = np.array([np.datetime64(easter(int(year))) + shift * DAY for year in years for shift in EASTER_HOLIDAYS])
    return holidays_on(dates, FIXED_HOLIDAYS) | np.isin(dates, moving)


def holidays_on(dates: np.ndarray, days: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(D,) bool: the date is one of these (month, day)."""
    month = dates.astype("datetime64[M]")
    code = (month.astype(int) % 12 + 1) * 100 + (dates - month.astype("datetime64[D]")).astype(int) + 1
    return np.isin(code, [100 * m + d for m, d in days])


def rows(rng: np.random.Generator, days: int, store: np.ndarray) -> np.ndarray:
    """(D, S) bool: there is a row. 15 % of the stores are rebuilt in the second year and have none for about half a year."""
    stores = store.max() + 1
    rebuilt, start, length = rng.random(stores) < 0.15, rng.integers(400, 700, stores), rng.integers(150, 210, stores)
    day = np.arange(days)[:, None]
    return ~(rebuilt & (day >= start) & (day < start + length))[:, store]


def month_edge(trade: Trade, dates: np.ndarray) -> np.ndarray:
    """(D,): more money around the turn of the month."""
    day = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1
    return trade.month_edge * ((day >= 29) | (day <= 4))


def counts(rng: np.random.Generator, log_mean: np.ndarray, noise: float, least: int = 1) -> np.ndarray:
    """Negative binomial counts of at least `least`, as a gamma mixture of Poissons: variance = mean + (0.7 × noise × mean)²."""
    mixing, counting = rng.spawn(2)
    mean = np.exp(log_mean)
    if noise > 0:
        shape = (0.7 * noise) ** -2
        mean = mean * mixing.gamma(shape, 1 / shape, mean.shape)
    return np.maximum(counting.poisson(mean), least)


def drift(kind: str, size: float, dates: np.ndarray, start: np.datetime64, week: np.ndarray, season: np.ndarray) -> np.ndarray:
    """What an injected drift adds from `start` on, broadcastable to (D, S). week: (7, S), season: (D, S)."""
    if kind == "level":
        return np.full((1, 1), np.log1p(size))
    if kind == "growth":
        return np.log1p(size) * (dates - start).astype(int)[:, None] / 365.25
    if kind == "weekday":
        return size * (np.roll(week, 3, axis=0) - week)[weekdays(dates)]
    if kind == "season":
        return -2 * size * season
    return np.zeros((1, 1))
