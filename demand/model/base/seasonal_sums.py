"""Sales beside the seasonal factors of the same days, as running sums: what levels, and ratios to them, are read from."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from demand.panel.panel import Panel
from demand.panel.running_sums import between, ratio_of_sums, running_sums


class SeasonalSums:
    """One panel and its seasonal factors; nothing in it depends on an origin.

    Attributes:
        seasonal_factor: (S, D) float32 weekday x month x planned effects of every series and day (Factors.seasonal_factor).
        trading: (S, D) bool, the days that count.
        sales, expected: (S, D) float32 units, and the seasonal factor, on trading days; 0 on the others.
        days: D.
    """

    def __init__(self, panel: Panel, seasonal_factor: np.ndarray) -> None:
        self.panel, self.seasonal_factor = panel, seasonal_factor
        self.trading = panel.trading
        self.sales = np.where(self.trading, panel.sales, 0).astype("f4")
        self.expected = np.where(self.trading, seasonal_factor, 0).astype("f4")
        self.days = seasonal_factor.shape[1]

    @cached_property
    def running(self) -> tuple[np.ndarray, np.ndarray]:
        """(S, D + 1) running sums of sales and of the seasonal factor over the trading days before each day."""
        return running_sums(self.sales), running_sums(self.expected)

    def between(self, start: int, stop: int) -> list[np.ndarray]:
        """(S,) sales, and sum of the seasonal factor, over the trading days from position `start` to before `stop`."""
        return between(slice(None), start, stop, *self.running)

    def level_before(self, series: np.ndarray, end: np.ndarray, width: int, known: np.ndarray) -> np.ndarray:
        """Level over the `width` days before position `end`: sales per unit of seasonal factor; NaN without trading days.

        Days from position `known` on are not looked at.
        """
        return ratio_of_sums(*between(series, end - width, np.minimum(end, known), *self.running), otherwise=np.nan)
