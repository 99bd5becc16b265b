"""Periods against Python's own calendar."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demand.planning.periods import period_starts

KEYS = {"day": lambda day: day, "week": lambda day: day.isocalendar()[:2], "month": lambda day: (day.year, day.month),
        None: lambda day: 0}  # noqa: ARG005


@given(st.dates(date(1960, 1, 1), date(2040, 1, 1)), st.integers(1, 200), st.sampled_from(list(KEYS)))
def test_periods_are_those_of_the_calendar(first: date, days: int, step: str | None) -> None:
    dates = [first + timedelta(k) for k in range(days)]
    expected = [next(group) for _, group in groupby(dates, KEYS[step])]
    starts = period_starts(np.datetime64(first) + np.arange(days), step)  # type: ignore[arg-type]
    assert [dates[k] for k in starts] == expected
