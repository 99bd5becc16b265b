"""The champion on every day since its training: its residuals, and whether drift was confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from demand.backtest.error_model import ErrorModel, read_error_model
from demand.backtest.folds import backtest_fits
from demand.backtest.residuals import Residuals, residuals_of
from demand.backtest.segments import windows
from demand.champion.champion_record import Champion
from demand.champion.serving_rule import why_it_cannot_forecast
from demand.drift.decision import judge, mape_limit
from demand.drift.drift_params import DriftParams
from demand.drift.findings import Finding, Verdict, drifted
from demand.drift.inactive_series import find_inactive
from demand.drift.measures import REVIEW, measures
from demand.panel.fitted_model import FittedModel
from demand.panel.panel import Panel, rows_of


def review_days(since: int) -> range:
    """The days on which a champion is judged `since` days after its training, the newest first; empty while it is too early."""
    return range(since, min(windows(REVIEW)) - 1, -1)


def origin_of(day: int, horizon: int) -> tuple[int, int]:
    """The origin of the forecast that is judged on a day, and its length; days are counted from the champion's training.

    Origins are as far apart as the horizon allows beside the window. So one forecast serves many days, and the verdict on a day
    does not depend on when it is computed.
    """
    step = min(REVIEW, max(horizon - REVIEW, 7))
    return step * max((day - REVIEW) // step, 0), REVIEW + step - 1


def confirmed_through(days: range, drift_on: Callable[[int], bool]) -> int | None:
    """The newest of the days on which drift was confirmed."""
    return next((day for day in days if drift_on(day)), None)


def assess_champion(panel: Panel, champion: Champion | None, load_model: Callable[[Champion], FittedModel],
                    rules: DriftParams) -> Verdict:
    """The verdict on the champion; without one that can forecast these data, a model is to be trained."""
    if champion is None:
        return Verdict(panel.last_day, obstacle="no champion: train")
    problem = why_it_cannot_forecast(champion, panel.last_day, panel.known_names)
    if problem:
        return Verdict(panel.last_day, champion.trained_through, f"{problem}: train")
    error_model = read_error_model(champion.baseline)
    if error_model is None:
        obstacle = (f"champion {champion.version} was promoted unscored, and {panel.column(panel.last_day) + 1} days of history "
                    f"allow a backtest: train") if backtest_fits(panel, champion.horizon) else None
        return Verdict(panel.last_day, champion.trained_through, obstacle)
    return assess_since_training(panel, load_model(champion), champion, error_model, rules)


def assess_since_training(panel: Panel, model: FittedModel, champion: Champion, error_model: ErrorModel,
                          rules: DriftParams) -> Verdict:
    """The verdict on the champion from the newest days, and from every day since its training."""
    watch = Watch(panel, model, champion.horizon, error_model, rules)
    trained = model.trained_through
    days = review_days(int((panel.last_day - trained).astype(int)))
    confirmed = confirmed_through(days, lambda day: drifted(watch.findings_on(day)))
    if not days:
        return Verdict(panel.last_day, champion.trained_through)
    residuals = watch.residuals_on(days[0])
    return Verdict(panel.last_day, champion.trained_through, None, residuals, watch.findings_on(days[0]),
                   None if confirmed is None else trained + confirmed,
                   () if confirmed is None else watch.findings_on(confirmed),
                   mape_limit(measures(residuals, error_model), rules))


@dataclass(frozen=True)
class Watch:
    """A champion that is judged on days since its training. Days are counted from there.

    Attributes:
        error_model: of the champion's backtest (estimate_error_model).
        made: by the origin of a forecast: its residuals, and (S,) bool, for which of the panel's series it was made.
    """

    panel: Panel
    model: FittedModel
    horizon: int
    error_model: ErrorModel
    rules: DriftParams
    made: dict[int, tuple[Residuals, np.ndarray]] = field(default_factory=dict)

    def findings_on(self, day: int) -> list[Finding]:
        return judge(self.residuals_on(day), self.error_model, self.rules)

    def residuals_on(self, day: int) -> Residuals:
        """The residuals of the window that ends on this day, without inactive series."""
        start, reach = origin_of(day, self.horizon)
        if start not in self.made:
            self.made[start] = past_residuals(self.panel, self.model, self.model.trained_through + start, reach)
        residuals, rows = self.made[start]
        inactive = find_inactive(self.panel, self.model.trained_through + day, self.rules.silent_days).inactive
        return residuals.days(max(day - start - REVIEW, 0), day - start).without(inactive[rows])


def past_residuals(panel: Panel, model: FittedModel, origin: np.datetime64, days: int) -> tuple[Residuals, np.ndarray]:
    """The residuals of the champion's forecast from an origin, and (S,) bool, for which of the panel's series it was made."""
    shown = panel.through(origin)
    forecast = model.predict(shown, origin, min(days, int((panel.last_day - origin).astype(int))))
    return residuals_of(panel, shown, forecast), rows_of(panel, shown)
