"""Rates with their uncertainty, alarms and delays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Z95 = 1.959964


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927); (0, 1) without tries."""
    if not tries:
        return 0.0, 1.0
    rate, z2 = hits / tries, Z95**2
    centre = (rate + z2 / (2 * tries)) / (1 + z2 / tries)
    half = Z95 * np.sqrt(rate * (1 - rate) / tries + z2 / (4 * tries**2)) / (1 + z2 / tries)
    return float(max(centre - half, 0)), float(min(centre + half, 1))


def weeks(alarm: Sequence[bool]) -> list[bool]:
    """Days to weekly checks, each of which sees every day since the last one; days over at the end are left out."""
    return [any(alarm[day:day + 7]) for day in range(0, len(alarm) - 6, 7)]


def separate(alarm: Sequence[bool], rest: int) -> int:
    """Alarms of which each is answered by a new champion, of whom `rest` days nothing can be said."""
    count, day = 0, 0
    while day < len(alarm):
        if alarm[day]:
            count, day = count + 1, day + rest
        else:
            day += 1
    return count


def delay(alarm: Sequence[bool]) -> int | None:
    """Days from a drift's first day to the weekly check that tells of it, 7, 14 …; the first check comes after a week."""
    told = [check for check, found in enumerate(weeks(alarm), 1) if found]
    return 7 * told[0] if told else None


def median_delay(delays: Sequence[int | None]) -> float | None:
    """Of all replays, those that were never told counting as later than any; None where that is the median."""
    ordered = sorted(np.inf if one is None else one for one in delays)
    middle = float(np.median(ordered)) if ordered else np.inf
    return middle if np.isfinite(middle) else None
