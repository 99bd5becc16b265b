"""The backtest as tables to plot: each a dict of equally long columns, empty ones where there is no fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from demand.backtest.fold_scores import WEEK, by_horizon
from demand.backtest.folds import Fold
from demand.panel.fitted_model import FittedModel

Table = dict[str, list[Any]]
SAMPLES = 4  # series, from the largest to the smallest


def total_per_day(folds: Sequence[Fold]) -> Table:
    """`date`, `actual`, `predicted`: sums over all series with known sales. Where folds overlap, the newest origin stands."""
    days: dict[np.datetime64, tuple[float, float]] = {}
    for fold in folds:
        known = ~np.isnan(fold.actual)
        sums = [np.where(known, values, 0).sum(axis=0, dtype="f8") for values in (fold.actual, fold.forecast.point)]
        days |= {day: (sums[0][h], sums[1][h]) for h, day in enumerate(target_days(fold)) if known[:, h].any()}
    return {"date": [str(day) for day in days], "actual": [actual for actual, _ in days.values()],
            "predicted": [predicted for _, predicted in days.values()]}


def sample_series(folds: Sequence[Fold]) -> Table:
    """`date`, `series`, `actual`, `predicted`, `lo_80`, `hi_80`: the newest fold of a few series, from large to small."""
    columns: Table = {name: [] for name in ("date", "series", "actual", "predicted", "lo_80", "hi_80")}
    if not folds:
        return columns
    fold = folds[-1]
    order = np.argsort(-np.nansum(fold.actual, axis=1), kind="stable")
    for s in dict.fromkeys(order[np.linspace(0, len(order) - 1, SAMPLES).astype(int)].tolist()):
        name = f"store {fold.history.store[s]}, item {fold.history.item[s]}"
        for h in np.flatnonzero(~np.isnan(fold.actual[s])):
            values = (fold.actual, fold.forecast.point, fold.forecast.low[80], fold.forecast.high[80])
            row = (str(target_days(fold)[h]), name, *(float(value[s, h]) for value in values))
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return columns


def by_week(folds: Sequence[Fold], columns: Sequence[str]) -> Table:
    """`week` of the horizon, from 1, and those scores of it."""
    rows = by_horizon(folds, WEEK)
    weeks = [(row["first_day"] - 1) // WEEK + 1 for row in rows]
    return {"week": weeks} | {name: [row[name] for row in rows] for name in columns}


def sum_coverage(rows: Sequence[Mapping[str, Any]]) -> Table:
    """`sum` (what is summed, over how many days) and `coverage_80`, % of these sums; from the rows of by_sum."""
    return {"sum": [f"{row['level']}, {row['days']} day{'s' * (row['days'] > 1)}" for row in rows],
            "coverage_80": [row["coverage_80"] for row in rows]}


def residuals(folds: Sequence[Fold], key: str) -> Table:
    """`key` (store or item), and over its days in all folds `bias` and `wape`, % of what was sold: positive is too much."""
    sums: dict[Any, np.ndarray] = {}
    for fold in folds:
        known = ~np.isnan(fold.actual)
        error = np.where(known, fold.forecast.point - fold.actual, 0).astype("f8")
        sold = np.where(known, fold.actual, 0).astype("f8")
        per_series = np.stack([error.sum(axis=1), np.abs(error).sum(axis=1), sold.sum(axis=1)], axis=1)
        ids, group = np.unique(getattr(fold.history, key), return_inverse=True)
        totals = np.zeros((len(ids), 3))
        np.add.at(totals, group, per_series)
        for one, total in zip(ids.tolist(), totals, strict=True):
            sums[one] = sums.get(one, 0) + total
    sold_at_all = {one: total for one, total in sorted(sums.items()) if total[2] > 0}
    return {key: list(sold_at_all), "bias": [100 * total[0] / total[2] for total in sold_at_all.values()],
            "wape": [100 * total[1] / total[2] for total in sold_at_all.values()]}


def importance(model: FittedModel) -> Table:
    """`feature`, `importance`: share of the gain, largest first."""
    share = model.importance()
    return {"feature": list(share), "importance": list(share.values())}


def target_days(fold: Fold) -> np.ndarray:
    """(H,) the days that the fold forecasts."""
    days: np.ndarray = fold.forecast.origin + 1 + np.arange(fold.actual.shape[1])
    return days
