"""Samples for the test whether the data look different: the recent days and the same season a year ago, without the level.

Sales grow and have seasons, so last month always differs from the past. What is compared is therefore a series' sales and lags
relative to its own trailing year and to all series; how far that global level moved is reported separately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from demand.panel.calendar import YEAR
from demand.panel.lag_features import STATE, lag_features
from demand.panel.panel import Panel

COLUMNS = ("sales", "lag_1", "lag_7", "lag_30", "rolling_mean_7", "rolling_mean_30")  # relative to the trailing year
TRAILING = STATE.index("rolling_mean_364")
LARGEST = 1e9  # larger absolute values of a known-future column are cut to it: a histogram needs bins between values
DISTANCE = 0.1  # Evidently's own threshold for its distances, from which a column is said to differ


@dataclass(frozen=True)
class Sample:
    """Up to N rows of series and days: `columns` (N,) by name; `level`, all sales relative to the trailing year."""

    columns: dict[str, np.ndarray]
    level: float
    first: np.datetime64
    last: np.datetime64

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def only(self, names: Sequence[str]) -> Sample:
        """With these columns alone."""
        return replace(self, columns={name: self.columns[name] for name in names})


def draw_samples(panel: Panel, day: np.datetime64, days: int, rows: int) -> tuple[Sample, Sample, bool]:
    """The last `days` days up to `day`; those a year before, or, in a short history, just before; and whether it is a year."""
    year_ago = panel.column(day - YEAR) - days >= YEAR // 4
    reference = day - (YEAR if year_ago else days)
    return sample(panel, day, days, rows), sample(panel, reference, days, rows), year_ago


def sample(panel: Panel, day: np.datetime64, days: int, rows: int) -> Sample:
    """Rows drawn from the trading days of the window, the same for the same data."""
    end = max(panel.column(day) + 1, 0)
    start = max(end - days, 0)
    cut = slice(start, end)
    panel = panel.extended(1)
    features = lag_features(panel)
    year = features[:, start, TRAILING].astype("f8")[:, None]
    series, at = np.nonzero(panel.trading[:, cut] & (year > 0))
    if len(series) > rows:
        chosen = np.sort(np.random.default_rng(0).choice(len(series), rows, replace=False))
        series, at = series[chosen], at[chosen]
    columns = {}
    for name in COLUMNS:
        values = panel.sales[:, cut] if name == "sales" else features[:, cut, STATE.index(name)]
        relative = values[series, at] / year[series, 0]
        level = float(np.nanmean(relative)) if np.isfinite(relative).any() else 1.0
        columns[name] = np.nan_to_num(relative / (level or 1.0))
        if name == "sales":
            common = level
    for k, name in enumerate(panel.known_names):
        columns[name] = np.clip(panel.known[:, cut, k][series, at].astype("f8"), -LARGEST, LARGEST)
    return Sample(columns, common, min(panel.dates[start], day), day)


def comparable(now: Sample, then: Sample) -> list[str]:
    """The columns with values in both samples, and different ones in the reference: distances are relative to its spread."""
    return [name for name, values in now.columns.items() if not np.isnan(values).all() and varies(then.columns[name])]


def varies(values: np.ndarray) -> bool:
    """Whether there are two different values, NaN left out."""
    known = values[~np.isnan(values)]
    return bool(len(known) and known.min() < known.max())


def level_change(now: Sample, then: Sample) -> float:
    """How far all sales moved relative to their trailing year; NaN where one of the samples has no sales."""
    return now.level / then.level - 1 if now.rows and then.rows and then.level > 0 else float("nan")


def threshold(rows: int) -> float:
    """The distance from which a column differs: two samples of so many rows of the same data differ by chance as well."""
    return DISTANCE + 1 / np.sqrt(max(rows, 1))
