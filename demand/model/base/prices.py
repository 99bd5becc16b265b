"""Known-future columns that are positive everywhere, such as prices, as a discount: the log of the usual value over the value.

A price says little beside the prices of other items, and much beside the item's own. The usual one is the series' own first: what
it is does not matter to a forecast, which is relative to the sales of days with prices of their own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from demand.panel.panel import OPEN, Panel


def price_names(panel: Panel) -> tuple[str, ...]:
    """The columns whose every value on a trading day is positive, and which take more than two values."""
    names = []
    for k, name in enumerate(panel.known_names):
        values = panel.known[:, :, k][panel.trading & ~np.isnan(panel.known[:, :, k])]
        if name != OPEN and len(values) and values.min() > 0 and len(np.unique(values)) > 2:
            names.append(name)
    return tuple(names)


def as_discounts(panel: Panel, names: tuple[str, ...]) -> Panel:
    """The panel with the columns `names` as log(first value / value); a value that is missing is the last one before it."""
    if not names:
        return panel
    known = panel.known.copy()
    for k in (panel.known_names.index(name) for name in names):
        value = carried(np.where(panel.known[:, :, k] > 0, panel.known[:, :, k], np.nan))
        first = value[np.arange(len(value)), (~np.isnan(value)).argmax(axis=1)]
        known[:, :, k] = np.nan_to_num(np.log(first[:, None] / value))
    return replace(panel, known=known)


def carried(values: np.ndarray) -> np.ndarray:
    """(S, D) with each NaN replaced by the last value before it, where there is one."""
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(values.shape[1])), axis=1)
    return np.asarray(np.take_along_axis(values, last, axis=1))
