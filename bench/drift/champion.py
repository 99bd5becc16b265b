"""A champion that is never replaced, watched day after day as the drift stage does it, with or without injected drift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bench.drift.injection import KINDS, inject
from demand.backtest.error_estimate import estimate_error_model
from demand.backtest.folds import backtest, plan_backtest
from demand.backtest.residuals import residuals_of
from demand.backtest.segments import windows
from demand.drift.measures import REVIEW
from demand.drift.monitor import Watch, origin_of
from demand.model.base.factors import Factors, fit_factors
from demand.model.demand_model import DemandModel
from demand.panel.forecast import Forecast
from demand.panel.panel import Panel, rows_of
from workspace.run.all_params import Params

FIRST = min(windows(REVIEW))  # days after the training: the first that can be judged


@dataclass(frozen=True)
class Watched:
    """A champion on the data as it was; `forecasts`: from each start, what was shown and what was forecast."""

    watch: Watch
    factors: Factors
    forecasts: dict[int, tuple[Panel, Forecast]]

    @property
    def days(self) -> int:
        """Days since the training that there are sales of."""
        return int((self.watch.panel.last_day - self.watch.model.trained_through).astype(int))


def fitted(panel: Panel, settings: Params, trained: np.datetime64) -> Watched:
    """Train and backtest as the pipeline does with this as its last day, and forecast from every start that is judged."""
    history, horizon = panel.through(trained), settings.forecast.horizon
    model = DemandModel.fit(history, settings.train, horizon)
    at = plan_backtest(history, settings.evaluate.origins, settings.evaluate.step_days, horizon).origins
    fit = partial(DemandModel.fit, train=settings.train, horizon=horizon)
    normal = estimate_error_model(backtest(history, fit, at, horizon), history)
    watch = Watch(panel, model, horizon, normal, settings.drift)
    watched = Watched(watch, fit_factors(panel), {})
    for start in sorted({origin_of(day, horizon)[0] for day in range(FIRST, watched.days + 1)}):
        shown = panel.through(trained + start)
        forecast = model.predict(shown, trained + start, origin_of(start + REVIEW, horizon)[1])
        watched.forecasts[start] = ids_of(shown), forecast
    return replace(watched, watch=with_sales(watched, panel, watched.days + 1))


def ids_of(panel: Panel) -> Panel:
    """The panel without its days: whose forecast it is, and nothing that would fill the memory."""
    cut = slice(0, 0)
    return replace(panel, dates=panel.dates[cut], **{name: getattr(panel, name)[:, cut].copy()
                   for name in ("sales", "recorded", "status", "known")})


def with_sales(watched: Watched, panel: Panel, before: int) -> Watch:
    """The same champion with other sales from the day `before` on: forecasts that were made earlier are those that they were."""
    made = {start: (residuals_of(panel, shown, forecast), rows_of(panel, shown))
            for start, (shown, forecast) in watched.forecasts.items() if start < before}
    return replace(watched.watch, panel=panel, made=made)


def onsets(watched: Watched, kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random first days of a drift, in days since the training, each with enough days after it."""
    last, stores = watched.days - KINDS[kind].follow + 1, len(np.unique(watched.watch.panel.store))
    small = KINDS[kind].where == "store" and stores * watched.watch.rules.volume > 1  # a store that no training is worth
    return rng.integers(FIRST, last + 1, count) if last >= FIRST and not small else np.empty(0, int)


def drifting(watched: Watched, kind: str, onset: int, rng: np.random.Generator) -> Watch:
    """The champion on data that drifts from the onset on."""
    panel = inject(watched.watch.panel, watched.factors, KINDS[kind], watched.watch.model.trained_through + onset, rng)
    near = {start: made for start, made in watched.forecasts.items() if onset - 2 * REVIEW <= start < onset}
    return with_sales(replace(watched, forecasts=near), panel, onset)
