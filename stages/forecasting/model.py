"""The demand model: a base forecast and the trees that correct it, fitted on a window, ready for any origin it is shown."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.forecasting import base, intervals, structural
from stages.forecasting.base import Pool
from stages.forecasting.boosting import ALGORITHMS, Trees
from stages.forecasting.closures import chance_of_closing
from stages.forecasting.design import Design, feature_names
from stages.forecasting.errors import UserError
from stages.forecasting.extremes import without_extremes
from stages.forecasting.intervals import Spread
from stages.forecasting.panel import Panel
from stages.forecasting.params import Train
from stages.forecasting.sampling import rows_at, training_rows
from stages.forecasting.scores import LEVELS
from stages.forecasting.structural import Factors


@dataclass(frozen=True)
class Forecast:
    """S series on H days after the origin, in the panel's order; units per day, float32, all >= 0.

    Attributes:
        origin: the last day whose sales were known.
        point: (S, H) the expected sales, 0 where the day is more likely closed than open. It adds up over days and series.
        low, high: {80: (S, H), 95: (S, H)} ends of the prediction intervals.
    """

    origin: np.datetime64
    point: np.ndarray
    low: dict[int, np.ndarray]
    high: dict[int, np.ndarray]


class DemandModel:
    """A fitted model. Pickles through its own bytes, which are the same on every run and with any number of threads."""

    def __init__(self, facts: dict[str, Any], factors: Factors, trees: Trees, spread: Spread) -> None:
        self.facts, self.factors, self.trees, self.spread = facts, factors, trees, spread

    @property
    def trained_through(self) -> np.datetime64:
        """The last day that the training saw."""
        return np.datetime64(self.facts["trained_through"])

    @property
    def base(self) -> str:
        """The base in use: what `train.base` names, or what was chosen for `auto`."""
        return str(self.facts["base"])

    @classmethod
    def fit(cls, panel: Panel, train: Train, horizon: int) -> DemandModel:
        """Fit to all sales in the panel (with state), for horizons of 1 to `horizon` days.

        The base, the number of trees and the width of the intervals come from days held out inside the window; the model that
        is returned is then fitted to all of it.
        """
        end = panel.column(panel.last_day)
        panel = without_extremes(panel, end)
        factors, design = prepared(panel)
        tests = base.inner_backtest(factors, design, end, horizon)
        kind = train.base if train.base != "auto" else min(tests, key=lambda k: tests[k].error, default="level")
        common = tests[kind].common if kind in tests else 0.05
        count, spread = held_out(panel, kind, train, horizon, common)
        rows = training_rows(kind, factors, design, end, horizon, train.rows, train.seed)
        trees, _ = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.multiple, rows.weight, count)
        facts = {
            "trained_through": str(panel.last_day), "trained_from": str(panel.dates[0]), "horizon": horizon, "base": kind,
            "train": train.model_dump(mode="json"), "known_future": list(panel.known_names), "trees": count,
            "rows": len(rows.sales), "series": panel.n_series,
            "base_tests": {k: {"error_pct": round(test.error, 4), "common": round(test.common, 6), "origins": test.origins}
                           for k, test in tests.items()},
        }
        return cls(facts, factors, trees, spread)

    def predict(self, panel: Panel, origin: np.datetime64, horizon: int, pool: Pool | None = None,
                closing: np.ndarray | None = None) -> Forecast:
        """Forecast the days after `origin` for every series of the panel (with state); later sales in it are not looked at.

        Args:
            pool, closing: what all series say at the origin (`pool_at`), and the chance of each series to be closed on each day
                (`chance_of_closing`), for when the panel holds only some of them.
        """
        panel = without_extremes(reaching(panel, origin, horizon), panel.column(origin))
        if list(panel.known_names) != self.facts["known_future"]:
            raise UserError(f"the model was trained with the known-future columns {self.facts['known_future']}, the data has "
                            f"{list(panel.known_names)}: set data.known_future as it was, or train again")
        design = Design(panel, self.factors.shape(panel))
        o = panel.column(origin)
        series, days = panel.n_series, np.arange(1, horizon + 1)
        at = base.level(self.base, self.factors, design, o, pool)
        i, h = np.repeat(np.arange(series), horizon), np.tile(days, series)
        matrix = design.matrix(i, np.full(len(i), o), h, at.level[i])
        start = at.level[:, None] * design.shape[:, o + days] * at.multiple(days)
        forecast = start * self.trees.predict(matrix).reshape(series, horizon)
        quantile = self.spread.at(forecast, days)
        closed = chance_of_closing(panel, o, horizon) if closing is None else closing
        kept = {tail: np.where(closed >= tail, 0, value).astype("f4") for tail, value in quantile.items()}
        point = np.where(closed >= 0.5, 0, forecast).astype("f4")
        return Forecast(origin, point, {p: kept[(100 - p) / 200] for p in LEVELS}, {p: kept[(100 + p) / 200] for p in LEVELS})

    def pool_at(self, panel: Panel, origin: np.datetime64) -> Pool:
        """What all series of the panel say at the origin."""
        o = panel.column(origin)
        panel = without_extremes(panel, o)
        return base.pool(self.factors, Design(panel, self.factors.shape(panel)), o)

    def importance(self) -> dict[str, float]:
        """Share of the trees' gain per feature, largest first."""
        return self.trees.importance(feature_names(tuple(self.facts["known_future"])))

    def to_bytes(self) -> bytes:
        """The whole model in one archive of arrays: no code, no clock, no thread count."""
        spread = {"counting": self.spread.counting, "relative": self.spread.relative, "common": self.spread.common}
        head = json.dumps({**self.facts, "spread": spread, "noise": self.factors.noise}, sort_keys=True).encode()
        stream = io.BytesIO()
        f = self.factors
        np.savez(stream, head=np.frombuffer(head, "u1"), trees=np.frombuffer(self.trees.to_bytes(), "u1"), store=ids(f.store),
                 item=ids(f.item), scale=f.scale, weekday=f.weekday, month=f.month, effect=f.effect, usual=f.usual,
                 reach=f.reach, quantiles=self.spread.quantiles)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> DemandModel:
        """The inverse of to_bytes."""
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            a = dict(archive)
        facts = json.loads(a["head"].tobytes())
        spread = Spread(**facts.pop("spread"), quantiles=a["quantiles"])
        factors = Factors(from_ids(a["store"]), from_ids(a["item"]), a["scale"], a["weekday"], a["month"], a["effect"],
                          a["usual"], a["reach"], facts.pop("noise"))
        trees = ALGORITHMS[facts["train"]["algorithm"]].from_bytes(a["trees"].tobytes())
        return cls(facts, factors, trees, spread)

    def __reduce__(self) -> tuple[Any, ...]:
        return DemandModel.from_bytes, (self.to_bytes(),)


def prepared(panel: Panel) -> tuple[Factors, Design]:
    """The factors of all sales in the panel, and the design that rests on them."""
    factors = structural.fit(panel)
    return factors, Design(panel, factors.shape(panel))


def held_out(panel: Panel, kind: str, train: Train, horizon: int, common: float) -> tuple[int, Spread]:
    """Number of trees and spread, from a model that is fitted without the last `horizon` days and forecasts them."""
    origin = panel.last_day - horizon
    end = panel.column(origin)
    before = panel.through(origin) if end >= 2 * horizon else None
    if before is None or not before.n_series:
        return train.n_estimators, intervals.fit(np.empty(0), np.empty(0), np.empty(0), common)
    factors, design = prepared(before)
    rows = training_rows(kind, factors, design, end, horizon, train.rows // 2, train.seed)
    whole = Design(panel, factors.shape(panel))
    test = rows_at(kind, factors, whole, np.array([end]), horizon, train.rows // 2, train.seed)
    if not test.sales.sum() > 0:  # days on which nothing was sold cannot tell one model from another
        return train.n_estimators, intervals.fit(np.empty(0), np.empty(0), np.empty(0), common)
    scale = test.sales.sum() / test.base.sum()
    trees, count = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.multiple, rows.weight, train.n_estimators,
                                                   (test.matrix, test.multiple / scale, test.weight))
    return count, intervals.fit(test.sales, test.base * trees.predict(test.matrix), test.horizon, common)


def reaching(panel: Panel, origin: np.datetime64, horizon: int) -> Panel:
    """The panel with a time axis of at least `horizon` days after the origin."""
    return panel.extended(int((origin - panel.last_day).astype(int)) + horizon)


def ids(values: np.ndarray) -> np.ndarray:
    """Ids in a form that an archive of arrays takes."""
    return values if values.dtype.kind in "iu" else values.astype("U")


def from_ids(values: np.ndarray) -> np.ndarray:
    """The inverse of ids."""
    return values if values.dtype.kind in "iu" else values.astype(object)
