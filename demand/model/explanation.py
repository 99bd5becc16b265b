"""Why a forecast is what it is: factors whose product it is.

For one series and day they are, in this order: `level` (units per day), `growth` up to the day, `weekday`, `month`,
`covariate:NAME` of each known-future column with an effect, `event:NAME` of each event with an effect on one of the days,
`trees:SUBJECT` of each subject of the trees' features (feature_groups), `trees`, `direct_member`, `on_sale`, `open`.

- A `trees:SUBJECT` is exp of XGBoost's own contributions of that subject's features, and `trees` what it makes of a row without
  any of them. A random forest has no contributions: all that it adds is `trees`.
- `direct_member` is what averaging with the second member changes.
- `on_sale` is the chance to be on sale; `open` is 0 where the day is more likely closed than open, and 1 otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand.model.base.closing_probability import CLOSED_FROM, chance_of_closing
from demand.model.base.level import GlobalLevel
from demand.model.demand_model import DemandModel
from demand.model.holdout import member_rows
from demand.model.trees.design_matrix import feature_groups
from demand.panel.panel import Panel

EXACT_ROWS = 500  # series x days up to which contributions are exact unless asked otherwise


@dataclass(frozen=True)
class Explanation:
    """The factors of the forecast of S series on H days.

    Attributes:
        first: the first of the days, datetime64[D].
        factors: (S, H) float64 by name, in the order in which they are multiplied; the first one in units per day.
    """

    first: np.datetime64
    factors: dict[str, np.ndarray]

    @property
    def forecast(self) -> np.ndarray:
        """(S, H) float64 units per day, Forecast.point to about 1e-7 of itself."""
        return np.prod(list(self.factors.values()), axis=0)

    def of_sum(self) -> dict[str, float]:
        """The factors of the sum over all series and days, in the same order; their product is that sum.

        The first one is the sum of the levels, in units. Each other one is the sum with this factor and all before it, divided by
        the sum with those before it alone: the mean of the days' factors, weighted by what those before it make of the days. For
        one series and day it is the day's own factor. Where the sum is 0, the first factor that makes it 0 is 0, and those after
        it are 1.
        """
        factors: dict[str, float] = {}
        product, before = np.ones(1), 1.0
        for name, factor in self.factors.items():
            product = product * factor
            total = float(product.sum())
            factors[name], before = total / before if before > 0 else 1.0, total
        return factors


def explain(model: DemandModel, panel: Panel, origin: np.datetime64, horizon: int, first: int = 1,
            pool: GlobalLevel | None = None, closing: np.ndarray | None = None, trades: np.ndarray | None = None,
            exact: bool | None = None) -> Explanation:
    """The factors of what `model.predict(panel, origin, horizon, pool, closing, trades)` forecasts.

    Args:
        first: days from the origin to the first day that is explained; the last one is `horizon` days after it.
        exact: whether XGBoost's contributions are SHAP values (Lundberg et al. 2018), up to 1 ms per series and day, or its fast
            approximation of them, which has the same sum; None for SHAP values of up to EXACT_ROWS series x days.
    """
    design, o, on_sale = model.design_at(panel, origin, horizon, trades)
    closed = chance_of_closing(design.panel, o, horizon) if closing is None else closing
    days, ahead = np.arange(first, horizon + 1), slice(first - 1, horizon)
    member, forecast = model.members(design, o, horizon, pool, first)
    level = model.base.at(design.sums, o, pool)
    rows = member_rows(level, design, o, days, np.arange(len(member))).reshape(*member.shape, -1)
    parts = [("level", level.level[:, None]), ("growth", level.growth_factor(days)),
             *seasonal_parts(model, design.panel, slice(o + first, o + horizon + 1)),
             *tree_parts(model, rows, member.size <= EXACT_ROWS if exact is None else exact)]
    factors = {name: np.broadcast_to(values, member.shape).astype("f8") for name, values in parts}
    product = np.prod(list(factors.values()), axis=0)
    only_direct = (member == 0) & (forecast > 0)  # a forest's zero, which averaging undoes
    factors["trees"] = trees = ratio(np.where(only_direct, product, member), product)
    factors["direct_member"] = ratio(forecast, product * trees)
    factors["on_sale"] = on_sale[:, ahead].astype("f8")
    factors["open"] = np.where(closed[:, ahead] >= CLOSED_FROM, 0.0, 1.0)
    return Explanation(origin + first, factors)


def seasonal_parts(model: DemandModel, panel: Panel, days: slice) -> list[tuple[str, np.ndarray]]:
    """The factors of the seasonal factor on some days of the panel, (S, days) each."""
    factors = model.factors
    part = replace(panel, dates=panel.dates[days], known=panel.known[:, days])  # nothing else is read
    return [*factors.parts(part), *(factors.calendar.parts(part) if factors.calendar else ())]


def tree_parts(model: DemandModel, rows: np.ndarray, exact: bool) -> list[tuple[str, np.ndarray]]:
    """What the features of each subject add, (S, H) each, from rows of the design matrix (S, H, F); a forest does not say."""
    logs = model.trees.contributions(rows.reshape(-1, rows.shape[2]), exact)
    if logs is None:
        return []
    groups = np.array(feature_groups(tuple(model.facts["known_future"])))
    sums = {group: logs[:, :-1][:, groups == group].sum(axis=1, dtype="f8") for group in dict.fromkeys(groups.tolist())}
    return [(f"trees:{group}", np.exp(total).reshape(rows.shape[:2])) for group, total in sums.items()]


def ratio(target: np.ndarray, product: np.ndarray) -> np.ndarray:
    """What `product` has to be multiplied by to give `target`; 1 where nothing can change it."""
    return np.divide(target, product, out=np.ones(product.shape), where=product > 0)
