"""The data that the judgement is watched on, and the champions: each is trained up to a day and then never replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.cases import PLANNED, REAL, generated, real
from demand.panel.panel import Panel
from workspace.run.all_params import Params

CHAIN = {"stores": 250, "items": 1, "years": 4, "level": 5500.0, "noise": 0.15, "future_days": 90, "promotions": True,
         "closed_days": True}


@dataclass(frozen=True)
class Case:
    """A data set and the last days of its champions' training.

    Attributes:
        aim: whether the gate is meant to keep its promise here; the other cases show where it ends.
        peer: whether Evidently is asked as well.
    """

    title: str
    load: Callable[[], tuple[Panel, Params]]
    trained: tuple[str, ...]
    aim: bool = True
    peer: bool = False


CASES = {
    "real": Case("the competition's file, 500 series", real, ("2015-12-31", "2016-12-31"), peer=True),
    "demo": Case("the demo, 500 series", lambda: generated({}), ("2022-12-31",), peer=True),
    "demo_2": Case("the demo drawn again", lambda: generated({"seed": 7}), ("2022-12-31",)),
    "planned": Case("promotions and closed days, known ahead, 250 stores", lambda: generated(CHAIN, PLANNED),
                    ("2022-12-31",), peer=True),
    "blind": Case("the same, nothing known ahead", lambda: generated(CHAIN), ("2022-12-31",), aim=False),
    "small": Case("4 units a day, noise × 2.5, 500 series", lambda: generated({"level": 4.0, "noise": 0.25}),
                  ("2022-12-31",), aim=False),
    "few": Case("6 series", lambda: generated({"stores": 2, "items": 3}), ("2022-12-31",), aim=False),
    "young": Case("the competition's file, two years of history", real, ("2014-12-31",), aim=False),
}


def available() -> list[str]:
    """The cases that there is data for."""
    return [name for name, case in CASES.items() if case.load is not real or REAL.exists()]
