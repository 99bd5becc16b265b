"""The demand model: a base forecast and the trees that correct it, fitted on a window, ready for any origin it is shown."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import numpy as np

from demand.distribution.joint_error import JointError
from demand.model.base.base_forecast import BaseForecast
from demand.model.base.closing_probability import CLOSED_FROM, chance_of_closing
from demand.model.base.extremes import without_extremes
from demand.model.base.factors import SEASON_NEEDS, Factors, fit_factors
from demand.model.base.level import RECENT, GlobalLevel
from demand.model.base.level_choice import inner_backtest, level_weights
from demand.model.base.off_sale import OffSaleRates, chance_on_sale, fit_off_sale, judged, without_off_sale
from demand.model.base.prices import as_discounts, price_names
from demand.model.base.seasonal_sums import SeasonalSums
from demand.model.direct_member import direct_base, fit_direct
from demand.model.holdout import member_forecast, tune_on_holdout
from demand.model.intervals import Dispersion, in_whole_units, joint_error_of, prior_dispersion, shared_error, widened
from demand.model.model_file import bytes_in_file, pack, unpack
from demand.model.past_errors import Recipe, learn_joint_error
from demand.model.trees.algorithms import ALGORITHMS
from demand.model.trees.design_matrix import DesignMatrix, feature_names
from demand.model.trees.train_params import TrainParams
from demand.model.trees.training_rows import training_rows
from demand.model.trees.trees import Trees
from demand.panel.forecast import LEVELS, Forecast
from demand.panel.panel import Panel
from demand.schema.errors import UserError


class DemandModel:
    """A fitted model. It pickles as one call with its own bytes (demand/model/model_file.py)."""

    def __init__(self, facts: dict[str, Any], factors: Factors, trees: Trees, spread: Dispersion,
                 direct: Trees | None = None) -> None:
        self.facts, self.factors, self.trees, self.spread, self.direct = facts, factors, trees, spread, direct

    @property
    def trained_through(self) -> np.datetime64:
        """The last day that the training saw."""
        return np.datetime64(self.facts["trained_through"])

    @property
    def base(self) -> BaseForecast:
        """The base forecast; its kind is what `train.base` names, or what was chosen for `auto`."""
        return BaseForecast(self.factors, self.facts.get("weights", {self.facts["base"]: 1.0}))

    @property
    def off_sale_rates(self) -> OffSaleRates | None:
        """None for a model of format 1, which does not judge what is off sale."""
        return OffSaleRates(**self.facts["off_sale"]) if "off_sale" in self.facts else None

    @property
    def joint_error(self) -> JointError:
        """How its errors go together over days and series."""
        known = self.facts.get("joint_error")
        return JointError.from_json(known, self.spread.whole) if known else joint_error_of(self.spread)

    @classmethod
    def fit(cls, panel: Panel, train: TrainParams, horizon: int) -> DemandModel:
        """Fit to all sales in the panel, for horizons of 1 to `horizon` days.

        The base, the number of trees and the width of the intervals come from days held out inside the window; the model that
        is returned is then fitted to all of it.
        """
        end, prices = panel.column(panel.last_day), price_names(panel)
        panel = as_discounts(without_extremes(panel, end), prices)
        rates = fit_off_sale(panel, end)
        recorded, (panel, _) = panel, without_off_sale(panel, end, rates)
        factors = fit_factors(panel)
        sums = SeasonalSums(panel, factors.seasonal_factor(panel))
        tests = inner_backtest(factors, sums, end, horizon)
        weights: dict[str, float] = {train.base: 1.0} if train.base != "auto" else level_weights(tests)
        kind = max(weights, key=lambda k: weights[k])
        common = tests[kind].common if kind in tests else None
        if end < SEASON_NEEDS or common is None:
            common = shared_error(common, max(end - RECENT, 0) / horizon)
        tuning = tune_on_holdout(panel, weights, train, horizon, common)
        spread = tuning.spread or prior_dispersion(common, factors.noise, in_whole_units(panel))
        if end < SEASON_NEEDS:
            spread = widened(spread, horizon, end)
        design = DesignMatrix(sums)
        rows = training_rows(BaseForecast(factors, weights), design, end, horizon, train.rows, train.seed)
        trees, _ = ALGORITHMS[train.algorithm].fit(train, rows.matrix, rows.ratio, rows.weight, tuning.trees)
        direct = fit_direct(factors, design, end, horizon, train) if tuning.share else None
        joint = learn_joint_error(recorded, Recipe(weights, tuning, trees, rates, train), horizon, spread.whole)
        facts = {
            "trained_through": str(panel.last_day), "trained_from": str(panel.dates[0]), "horizon": horizon, "base": kind,
            "weights": weights, "direct_share": tuning.share, "off_sale": asdict(rates),
            "train": train.model_dump(mode="json"), "known_future": list(panel.known_names), "prices": list(prices),
            "trees": tuning.trees, "rows": len(rows.sales), "series": panel.n_series,
            "intervals": "held-out days" if tuning.spread else "prior", "joint_error": joint.to_json() if joint else None,
            "base_tests": {k: {"error_pct": round(test.error, 4), "common": round(test.common, 6), "origins": test.origins}
                           for k, test in tests.items()},
        }
        return cls(facts, factors, trees, spread, direct)

    def predict(self, panel: Panel, origin: np.datetime64, horizon: int, pool: GlobalLevel | None = None,
                closing: np.ndarray | None = None, trades: np.ndarray | None = None) -> Forecast:
        """Forecast the days after `origin` for every series of the panel; later sales in it are not looked at.

        Args:
            pool, closing, trades: what all series say at the origin (`pool_at`), the chance of each series to be closed on each
                day (`chance_of_closing`), and the days on which its store trades (`store_trades`), for when the panel holds only
                some of them.
        """
        design, o, on_sale = self.design_at(panel, origin, horizon, trades)
        forecast = self.members(design, o, horizon, pool)[1] * on_sale
        quantile = self.spread.at(forecast, np.arange(1, horizon + 1))
        closed = chance_of_closing(design.panel, o, horizon) if closing is None else closing
        off = np.maximum(closed, 1 - on_sale)
        kept = {tail: np.where(off >= tail, 0, value).astype("f4") for tail, value in quantile.items()}
        point = np.where(closed >= CLOSED_FROM, 0, forecast).astype("f4")
        return Forecast(origin, point, {p: kept[(100 - p) / 200] for p in LEVELS}, {p: kept[(100 + p) / 200] for p in LEVELS})

    def design_at(self, panel: Panel, origin: np.datetime64, horizon: int, trades: np.ndarray | None,
                  ) -> tuple[DesignMatrix, int, np.ndarray]:
        """What both members read at an origin, the origin's position, and the chance (S, horizon) to be on sale after it."""
        panel = panel.extended(int((origin - panel.last_day).astype(int)) + horizon)
        if list(panel.known_names) != self.facts["known_future"]:
            raise UserError(f"the model was trained with the known-future columns {self.facts['known_future']}, the data has "
                            f"{list(panel.known_names)}: set data.known_future as it was, or train again")
        o = panel.column(origin)
        panel, on_sale = self.on_sale(self.as_fitted(panel, o), o, horizon, trades)
        return DesignMatrix(self.base.sums(panel)), o, on_sale

    def members(self, design: DesignMatrix, o: int, horizon: int, pool: GlobalLevel | None,
                first: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """(S, H) each: one member's forecast alone, and averaged with the direct member's, where there is one."""
        ahead = design, o, horizon, np.arange(design.panel.n_series), pool, first
        alone = member_forecast(self.base, self.trees, *ahead)
        if self.direct is None:
            return alone, alone
        direct = member_forecast(direct_base(self.factors), self.direct, *ahead)
        return alone, alone + self.facts["direct_share"] * (direct - alone)

    def as_fitted(self, panel: Panel, end: int) -> Panel:
        """The panel in the form that the factors were fitted to: without extremes up to position `end`, prices as discounts."""
        return as_discounts(without_extremes(panel, end), tuple(self.facts.get("prices", ())))

    def pool_at(self, panel: Panel, origin: np.datetime64) -> GlobalLevel:
        """What all series of the panel say at the origin."""
        end = panel.column(origin)
        panel, _ = self.on_sale(self.as_fitted(panel, end), end, 1)
        return self.base.pooled(self.base.sums(panel), end)

    def closing_at(self, panel: Panel, origin: np.datetime64, horizon: int) -> np.ndarray:
        """(S, horizon) chance of each series to be closed on each day after the origin; days off sale tell nothing about it."""
        end = panel.column(origin)
        return chance_of_closing(self.on_sale(without_extremes(panel, end), end, 1)[0], end, horizon)

    def off_sale_since(self, panel: Panel, origin: np.datetime64) -> np.ndarray:
        """(S,) datetime64[D], the first day of the run without sales that each series is off sale in; NaT for series on sale."""
        since = np.full(panel.n_series, np.datetime64("NaT"), "M8[D]")
        if self.off_sale_rates:
            end = panel.column(origin)
            runs = judged(without_extremes(panel, end), end, self.off_sale_rates)
            last = runs.off & runs.lasts
            since[runs.series[last]] = panel.dates[runs.start[last]]
        return since

    def on_sale(self, panel: Panel, end: int, horizon: int, trades: np.ndarray | None = None) -> tuple[Panel, np.ndarray]:
        """The panel without days off sale up to position `end`, and the chance (S, horizon) to be on sale after it."""
        rates = self.off_sale_rates
        if rates is None:
            return panel, np.ones((panel.n_series, horizon), "f4")
        panel, runs = without_off_sale(panel, end, rates, trades)
        return panel, chance_on_sale(runs, panel.n_series, horizon, rates)

    def use_threads(self, count: int) -> None:
        """How many threads both members forecast with; the forecast is the same with any number."""
        for trees in filter(None, (self.trees, self.direct)):
            trees.use_threads(count)

    def importance(self) -> dict[str, float]:
        """Share of the trees' gain per feature, largest first."""
        return self.trees.importance(feature_names(tuple(self.facts["known_future"])))

    def to_bytes(self) -> bytes:
        """The whole model: the same bytes on every run and with any number of threads."""
        return pack(self.facts, self.factors, self.trees.to_bytes(), self.spread, self.direct.to_bytes() if self.direct else b"")

    @classmethod
    def from_bytes(cls, content: bytes) -> DemandModel:
        """The inverse of to_bytes; a UserError where the bytes are of a newer format, or no model."""
        facts, factors, trees, spread, direct = unpack(content)
        read = ALGORITHMS[facts["train"]["algorithm"]].from_bytes
        return cls(facts, factors, read(trees), spread, read(direct) if direct else None)

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
