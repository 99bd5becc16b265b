"""The calendar: facts about days. Weekdays, months, Easter, and the year of 52 weeks have their home here."""

from __future__ import annotations

import numpy as np
from dateutil.easter import easter

CALENDAR = ("year", "month", "day", "dayofweek", "is_weekend", "dayofyear", "days_from_easter")


def calendar(dates: np.ndarray) -> dict[str, np.ndarray]:
    """Facts about days, (D,) datetime64[D] to one (D,) int16 array per name of CALENDAR.

    `dayofweek` is 0 on Mondays, `days_from_easter` counts from Western Easter Sunday and is -99 outside -48 ... 61, the span of
    the holidays that move with it (Carnival to Corpus Christi).
    """
    month_start, year_start = dates.astype("M8[M]"), dates.astype("M8[Y]")
    year = year_start.astype(int) + 1970
    first = int(year.min())
    sundays = np.array([easter(y) for y in range(first, int(year.max()) + 1)], "M8[D]")
    from_easter = (dates - sundays[year - first]).astype(int)
    dayofweek = (dates.astype("M8[D]").astype(int) + 3) % 7
    facts = {
        "year": year,
        "month": month_start.astype(int) % 12 + 1,
        "day": (dates - month_start).astype(int) + 1,
        "dayofweek": dayofweek,
        "is_weekend": dayofweek >= 5,
        "dayofyear": (dates - year_start).astype(int) + 1,
        "days_from_easter": np.where((from_easter >= -48) & (from_easter <= 61), from_easter, -99),
    }
    return {name: facts[name].astype("i2") for name in CALENDAR}


def weekdays(dates: np.ndarray) -> np.ndarray:
    """0 on Mondays."""
    return (dates.astype("M8[D]").astype(int) + 3) % 7


def months(dates: np.ndarray) -> np.ndarray:
    """0 in January."""
    return dates.astype("M8[M]").astype(int) % 12


YEAR = 364  # days: 52 whole weeks
