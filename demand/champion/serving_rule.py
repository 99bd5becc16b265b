"""What a model version and a champion are, and when a candidate may become one. Pure: no files, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demand.champion.champion_record import Champion


def why_it_cannot_forecast(champion: Champion, newest: np.datetime64, known_future: Sequence[str]) -> str | None:
    """Why a champion cannot forecast the days after `newest` from data with these known-future columns; None if it can."""
    if np.datetime64(champion.trained_through, "D") > newest:
        return f"champion {champion.version} has seen days after {newest}"
    if champion.known_future != tuple(known_future):
        return (f"champion {champion.version} was trained with data.known_future {list(champion.known_future)}, "
                f"not {list(known_future)}")
    return None
