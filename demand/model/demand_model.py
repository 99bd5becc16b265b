"""The demand model: a base forecast and the trees that correct it, fitted on a window, ready for any origin it is shown."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from demand.model.base.base_forecast import BaseForecast
from demand.model.base.closing_probability import chance_of_closing
from demand.model.base.extremes import without_extremes
from demand.model.base.factors import SEASON_NEEDS, Factors, fit_factors
from demand.model.base.level import RECENT, GlobalLevel, global_level
from demand.model.base.level_choice import inner_backtest
from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.intervals import ENOUGH, LEVELS, Dispersion, fit_dispersion, prior_dispersion, shared_error, widened
from demand.model.model_file import bytes_in_file, pack, unpack
from demand.model.trees.algorithms import ALGORITHMS
from demand.model.trees.design_matrix import DesignMatrix, feature_names
from demand.model.trees.train_params import TrainParams
from demand.model.trees.training_rows import rows_at, training_rows
from demand.model.trees.trees import Trees
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel
from demand.schema.errors import UserError


class DemandModel:
    """A fitted model. It pickles as one call with its own bytes (demand/model/model_file.py)."""

    def __init__(self, facts: dict[str, Any], factors: Factors, trees: Trees, spread: Dispersion) -> None:
        self.facts, self.factors, self.trees, self.spread = facts, factors, trees, spread

    @property
    def trained_through(self) -> np.datetime64:
        """The last day that the training saw."""
        return np.datetime64(self.facts["trained_through"])

    @property
    def base(self) -> BaseForecast:
        """The base forecast; its kind is what `train.base` names, or what was chosen for `auto`."""
        return BaseForecast(self.factors, str(self.facts["base"]))

    @classmethod
    def fit(cls, panel: Panel, train: TrainParams, horizon: int) -> DemandModel:
        """Fit to all sales in the panel, for horizons of 1 to `horizon` days.

        The base, the number of trees and the width of the intervals come from days held out inside the window; the model that
        is returned is then fitted to all of it.
        """
        end = panel.column(panel.last_day)
        panel = without_extremes(panel, end)
        factors = fit_factors(panel)
        sums = SeasonalSums(panel, factors.seasonal_factor(panel))
        tests = inner_backtest(factors, sums, end, horizon)
        kind = train.base if train.base != "auto" else min(tests, key=lambda k: tests[k].error, default="level")
        common = tests[kind].common if kind in tests else None
        if end < SEASON_NEEDS or common is None:
            common = shared_error(common, max(end - RECENT, 0) / horizon)
        count, held_out = tune_on_holdout(panel, kind, train, horizon, common)
        spread = held_out or prior_dispersion(common, factors.noise)
        if end < SEASON_NEEDS:
            spread = widened(spread, horizon, end)
        rows = training_rows(BaseForecast(factors, kind), DesignMatrix(sums), end, horizon, train.rows, train.seed)
        trees, _ = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.ratio, rows.weight, count)
        facts = {
            "trained_through": str(panel.last_day), "trained_from": str(panel.dates[0]), "horizon": horizon, "base": kind,
            "train": train.model_dump(mode="json"), "known_future": list(panel.known_names), "trees": count,
            "rows": len(rows.sales), "series": panel.n_series, "intervals": "held-out days" if held_out else "prior",
            "base_tests": {k: {"error_pct": round(test.error, 4), "common": round(test.common, 6), "origins": test.origins}
                           for k, test in tests.items()},
        }
        return cls(facts, factors, trees, spread)

    def predict(self, panel: Panel, origin: np.datetime64, horizon: int, pool: GlobalLevel | None = None,
                closing: np.ndarray | None = None) -> Forecast:
        """Forecast the days after `origin` for every series of the panel; later sales in it are not looked at.

        Args:
            pool, closing: what all series say at the origin (`pool_at`), and the chance of each series to be closed on each day
                (`chance_of_closing`), for when the panel holds only some of them.
        """
        panel = without_extremes(extended_to(panel, origin, horizon), panel.column(origin))
        if list(panel.known_names) != self.facts["known_future"]:
            raise UserError(f"the model was trained with the known-future columns {self.facts['known_future']}, the data has "
                            f"{list(panel.known_names)}: set data.known_future as it was, or train again")
        base, o = self.base, panel.column(origin)
        sums = base.sums(panel)
        series, days = panel.n_series, np.arange(1, horizon + 1)
        level = base.at(sums, o, pool)
        i, h = np.repeat(np.arange(series), horizon), np.tile(days, series)
        matrix = DesignMatrix(sums).rows(i, np.full(len(i), o), h, level.level[i])
        forecast = base.units(sums, level, o, days) * self.trees.predict(matrix).reshape(series, horizon)
        quantile = self.spread.at(forecast, days)
        closed = chance_of_closing(panel, o, horizon) if closing is None else closing
        kept = {tail: np.where(closed >= tail, 0, value).astype("f4") for tail, value in quantile.items()}
        point = np.where(closed >= 0.5, 0, forecast).astype("f4")
        return Forecast(origin, point, {p: kept[(100 - p) / 200] for p in LEVELS}, {p: kept[(100 + p) / 200] for p in LEVELS})

    def pool_at(self, panel: Panel, origin: np.datetime64) -> GlobalLevel:
        """What all series of the panel say at the origin."""
        end = panel.column(origin)
        return global_level(self.factors, self.base.sums(without_extremes(panel, end)), end)

    def importance(self) -> dict[str, float]:
        """Share of the trees' gain per feature, largest first."""
        return self.trees.importance(feature_names(tuple(self.facts["known_future"])))

    def to_bytes(self) -> bytes:
        """The whole model: the same bytes on every run and with any number of threads."""
        return pack(self.facts, self.factors, self.trees, self.spread)

    @classmethod
    def from_bytes(cls, content: bytes) -> DemandModel:
        """The inverse of to_bytes; a UserError where the bytes are of a newer format, or no model."""
        return cls(*unpack(content))

    def __reduce__(self) -> tuple[Any, ...]:
        return model_from_bytes, (self.to_bytes(),)


def model_from_bytes(content: bytes) -> DemandModel:
    """The one call that a model file holds (demand/model/model_file.py): its name and place are part of the format."""
    return DemandModel.from_bytes(content)


def dump_model(model: DemandModel) -> bytes:
    """The content of a model file, as joblib writes it."""
    import joblib

    stream = io.BytesIO()
    joblib.dump(model, stream)
    return stream.getvalue()


def read_model(content: bytes, file: str) -> DemandModel:
    """The model of a model file's content, without unpickling; a UserError where it is none. Check the file's hash first."""
    return DemandModel.from_bytes(bytes_in_file(content, file))


def tune_on_holdout(panel: Panel, kind: str, train: TrainParams, horizon: int,
                    common: float) -> tuple[int, Dispersion | None]:
    """Number of trees and spread, from a model that is fitted without the last `horizon` days and forecasts them.

    A history of less than three times that holds out a third of its days. No spread where these are fewer than ENOUGH // 4 days
    of series, or nothing was sold.
    """
    last = panel.column(panel.last_day)
    days = horizon if last >= 3 * horizon else min(horizon, last // 3)
    end = last - days
    before = panel.through(panel.dates[end]) if days > 0 else None
    if before is None or not before.n_series:
        return train.n_estimators, None
    base = BaseForecast(fit_factors(before), kind)
    test = rows_at(base, DesignMatrix(base.sums(panel)), np.array([end]), days, train.rows // 2, train.seed)
    if not test.sales.sum() > 0:  # days on which nothing was sold cannot tell one model from another
        return train.n_estimators, None
    rows = training_rows(base, DesignMatrix(base.sums(before)), end, days, train.rows // 2, train.seed)
    scale = test.sales.sum() / test.base.sum()
    trees, count = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.ratio, rows.weight, train.n_estimators,
                                                   (test.matrix, test.ratio / scale, test.weight))
    if panel.trading[:, end + 1:last + 1].sum() < ENOUGH // 4:
        return count, None
    return count, fit_dispersion(test.sales, test.base * trees.predict(test.matrix), test.horizon, common)


def extended_to(panel: Panel, origin: np.datetime64, horizon: int) -> Panel:
    """The panel with a time axis of at least `horizon` days after the origin."""
    return panel.extended(int((origin - panel.last_day).astype(int)) + horizon)
