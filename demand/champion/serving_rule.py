"""Which model serves: the champion, or the candidate while no champion can.

The forecast stage, the API and deployments all ask here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.champion.champion_record import Champion


def who_serves(champion: Champion | None, newest: np.datetime64, known_future: Sequence[str],
               horizon: int) -> tuple[Champion | None, str]:
    """The champion and an empty text; or None, the candidate serves, and why.

    Args:
        newest: the newest day with sales: the origin of the forecast.
        known_future: the data's known-future columns.
        horizon: days to forecast.
    """
    if champion is None:
        return None, "there is no champion yet"
    problem = why_it_cannot_forecast(champion, newest, known_future)
    if problem is None and horizon > champion.horizon:
        problem = f"champion {champion.version} was trained for {champion.horizon} days ahead, not {horizon}"
    return (champion, "") if problem is None else (None, problem)


def why_it_cannot_forecast(champion: Champion, newest: np.datetime64, known_future: Sequence[str]) -> str | None:
    """Why a champion cannot forecast the days after `newest` from data with these known-future columns; None if it can."""
    if np.datetime64(champion.trained_through, "D") > newest:
        return f"champion {champion.version} has seen days after {newest}"
    if champion.known_future != tuple(known_future):
        return (f"champion {champion.version} was trained with data.known_future {list(champion.known_future)}, "
                f"not {list(known_future)}")
    return None
