"""The champion on every day since its training: its forecasts, what came of them, and whether drift was confirmed."""

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
from demand.drift import inactive_series
from demand.drift.decision import Finding, Verdict, drifted, judge, mape_limit
from demand.drift.drift_params import DriftParams
from demand.drift.measures import REVIEW, measures
from demand.panel.fitted_model import FittedModel
from demand.panel.panel import Panel, rows_of


def review_days(since: int) -> range:
    """Days after the training on which a champion is judged, `since` of them by now: the newest first. Too early is no day."""
    return range(since, min(windows(REVIEW)) - 1, -1)


def origin_of(day: int, horizon: int) -> tuple[int, int]:
    """From where the champion forecasts the window that ends `day` days after its training, and how far; in days after it.

    Origins stand apart by as much as the horizon leaves beside the window. So one forecast serves many days, and a day is judged
    alike whenever that is done.
    """
    step = min(REVIEW, max(horizon - REVIEW, 7))
    return step * max((day - REVIEW) // step, 0), REVIEW + step - 1


def confirmed_through(days: range, drift_on: Callable[[int], bool]) -> int | None:
    """The newest of the days on which drift was confirmed."""
    return next((day for day in days if drift_on(day)), None)


def assess_champion(panel: Panel, of: Champion | None, load_model: Callable[[Champion], FittedModel],
                    rules: DriftParams) -> Verdict:
    """The verdict on the champion; without one that can forecast these data, a model is due."""
    if of is None:
        return Verdict(panel.last_day, obstacle="no champion: train")
    obstacle = why_it_cannot_forecast(of, panel.last_day, panel.known_names)
    if obstacle:
        return Verdict(panel.last_day, of.trained_through, f"{obstacle}: train")
    normal = read_error_model(of.baseline)
    if normal is None:
        due = (f"champion {of.version} was promoted unscored, and {panel.column(panel.last_day) + 1} days of history allow a "
               f"backtest: train") if backtest_fits(panel, of.horizon) else None
        return Verdict(panel.last_day, of.trained_through, due)
    return assess_since_training(panel, load_model(of), of, normal, rules)


def assess_since_training(panel: Panel, model: FittedModel, of: Champion, normal: ErrorModel, rules: DriftParams) -> Verdict:
    """The champion against the newest days, and against every day since its training."""
    watch = Watch(panel, model, of.horizon, normal, rules)
    trained = model.trained_through
    days = review_days(int((panel.last_day - trained).astype(int)))
    confirmed = confirmed_through(days, lambda day: drifted(watch.findings_on(day)))
    if not days:
        return Verdict(panel.last_day, of.trained_through)
    seen = watch.seen_on(days[0])
    return Verdict(panel.last_day, of.trained_through, None, seen, watch.findings_on(days[0]),
                   None if confirmed is None else trained + confirmed,
                   () if confirmed is None else watch.findings_on(confirmed), mape_limit(measures(seen, normal), rules))


@dataclass(frozen=True)
class Watch:
    """A champion that is judged on days since its training. Days are counted from there.

    Attributes:
        normal: what its backtest says is normal (estimate_error_model).
        made: its forecasts, by the day they start from: outcome, and (S,) bool, for which of the panel's series.
    """

    panel: Panel
    model: FittedModel
    horizon: int
    normal: ErrorModel
    rules: DriftParams
    made: dict[int, tuple[Residuals, np.ndarray]] = field(default_factory=dict)

    def findings_on(self, day: int) -> list[Finding]:
        return judge(self.seen_on(day), self.normal, self.rules)

    def seen_on(self, day: int) -> Residuals:
        """What came of the forecast, on the days up to this one."""
        start, reach = origin_of(day, self.horizon)
        if start not in self.made:
            self.made[start] = past_residuals(self.panel, self.model, self.model.trained_through + start, reach)
        whole, rows = self.made[start]
        silent = inactive_series.silence(self.panel, self.model.trained_through + day, self.rules.silent_days).silent[rows]
        return whole.days(max(day - start - REVIEW, 0), day - start).without(silent)


def past_residuals(panel: Panel, model: FittedModel, origin: np.datetime64, days: int) -> tuple[Residuals, np.ndarray]:
    """What came of the champion's forecast from an origin, and (S,) bool, for which of the panel's series it was made."""
    shown = panel.through(origin)
    forecast = model.predict(shown, origin, min(days, int((panel.last_day - origin).astype(int))))
    return residuals_of(panel, shown, forecast), rows_of(panel, shown)
