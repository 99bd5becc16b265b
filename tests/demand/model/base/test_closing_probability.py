"""Closed days: habits of the week, holidays that stay and holidays that move, and plans."""

from __future__ import annotations

import numpy as np

from demand.model.base.closing_probability import chance_of_closing
from tests.support.panels import closed, panel, ready, shaped

START = "2020-01-06"  # a Monday
DATES = np.datetime64(START) + np.arange(1100)


def position(day: str) -> int:
    return int((np.datetime64(day) - DATES[0]).astype(int))


def test_no_closed_days_no_chance() -> None:
    assert not chance_of_closing(ready(panel(shaped(3, 300))), 299, 90).any()


def test_sundays() -> None:
    whole = ready(closed(panel(shaped(3, 300)), np.arange(300) % 7 == 6))
    chance = chance_of_closing(whole, 299, 90)
    expected = (np.arange(300, 390) % 7 == 6).astype(float)
    np.testing.assert_array_equal(chance, np.broadcast_to(expected, chance.shape))


def test_a_habit_needs_more_than_one_week() -> None:
    days = np.zeros(300, bool)
    days[[299 - 7, 299 - 14]] = True
    chance = chance_of_closing(ready(closed(panel(shaped(3, 300)), days)), 299, 7)
    assert chance.max() == 0.25


def test_christmas_and_easter_monday_come_again() -> None:
    holidays = [position(day) for day in ("2020-12-25", "2021-12-25", "2020-04-13", "2021-04-05")]
    days = np.zeros(1100, bool)
    days[holidays] = True
    whole = ready(closed(panel(shaped(4, 1100)), days))
    december, april = position("2022-10-31"), position("2022-03-01")
    chance = chance_of_closing(whole, december, 90)
    assert np.flatnonzero(chance[0] > 0.5).tolist() == [position("2022-12-25") - december - 1]
    chance = chance_of_closing(whole, april, 90)
    assert np.flatnonzero(chance[0] > 0.5).tolist() == [position("2022-04-18") - april - 1]


def test_what_happened_once_and_not_again_is_no_holiday() -> None:
    days = np.zeros(1100, bool)
    days[position("2020-05-20")] = True
    chance = chance_of_closing(ready(closed(panel(shaped(4, 1100)), days)), position("2022-03-20"), 90)
    assert not chance.any()


def test_a_plan_is_followed() -> None:
    plan = np.ones((3, 390))
    plan[1, 310] = 0
    sales = np.where(np.arange(390) < 300, shaped(3, 390), np.nan)
    whole = panel(sales, known={"open": plan})
    whole.status[:, 300:] = 4  # future
    chance = chance_of_closing(ready(whole), 299, 90)
    assert np.argwhere(chance > 0).tolist() == [[1, 10]]
