"""The judgement: is the champion wrong by more than is normal, where, and what is to be done. Its report is made elsewhere.

A deviation (stages/forecasting/deviation.py) counts when it is large enough to matter and improbable enough to be believed;
the segments that moved must make up a share of all sales that is worth a training. Drift once confirmed stays confirmed until the
champion is replaced: `train_through` never falls back to an earlier day while the same champion serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from stages.forecasting.deviation import (
    EVERYTHING,
    WEEKDAY,
    WINDOWS,
    Deviations,
    Outcome,
    deviations,
    expected_errors,
    finest,
    windows,
)
from stages.forecasting.params import Drift
from stages.forecasting.scores import errors

LEVEL, ERROR = "level", "error"
REVIEW = max(WINDOWS)  # days, up to the one on which the champion is judged
SHOWN = 5  # segments that a reason names
CURRENT, BASELINE = ("mae", "rmse", "mape", "smape", "wape", "bias"), ("mae", "rmse", "mape")  # figures of the summary


@dataclass(frozen=True)
class Finding:
    """Segments of one kind that moved in the last `window` days, the largest first.

    Attributes:
        what: LEVEL, sales against forecast, or ERROR, forecast error against normal.
        change: (G,) relative: sales beside the forecast (and, for a part, beside how far all sales are off), error beside normal.
        limit: (G,) how far from 0 is normal.
        share: of all that was forecast, in these segments.
        confirmed: whether that share is worth a training.
    """

    kind: str
    what: str
    window: int
    names: list[str]
    change: np.ndarray
    limit: np.ndarray
    share: float
    confirmed: bool


@dataclass(frozen=True)
class Verdict:
    """What the drift stage found.

    Attributes:
        newest: the newest day with sales.
        trained_through: last day of the champion's training, None without a champion.
        obstacle: why there is no champion to judge; then a model is to be trained on everything.
        seen, findings: what came of the champion's forecast of the newest days, and what moved; None where it is too early.
        confirmed: the newest day on which drift was confirmed, None where there was none since the training.
    """

    newest: np.datetime64
    trained_through: date | None = None
    obstacle: str | None = None
    seen: Outcome | None = None
    findings: Sequence[Finding] = ()
    confirmed: np.datetime64 | None = None

    @property
    def retrain(self) -> bool:
        return self.obstacle is not None or self.confirmed is not None

    @property
    def train_through(self) -> str:
        """The last day that a model should be trained on."""
        return str(self.newest if self.obstacle else self.confirmed or self.trained_through)


def judge(seen: Outcome, normal: dict[str, Any], rules: Drift) -> list[Finding]:
    """What moved, judged by what is normal (deviation.normal).

    Single series that moved beyond all doubt, but are not worth a training, are told and then set aside: they must not make a
    whole store look as if it had moved.
    """
    findings = compare(seen, normal, rules)
    kind, names = finest(seen)
    told = [found for found in findings if found.kind == kind and not found.confirmed]
    if not told or any(found.kind == kind and found.confirmed for found in findings):
        return findings
    alone = np.isin(names, [name for found in told for name in found.names])
    return told + compare(seen.without(alone), normal, rules)


def compare(seen: Outcome, normal: dict[str, Any], rules: Drift) -> list[Finding]:
    """By level in every window, by error and weekday in the longest."""
    findings = []
    fitting = [window for window in windows(len(seen.dates)) if str(window) in normal["spread"]]
    for window in fitting:
        last = seen.days(len(seen.dates) - window, len(seen.dates))
        for kind, found in deviations(last, normal["error_per_sd"]).items():
            spread = normal["spread"][str(window)].get(kind)
            if spread is None or (kind == WEEKDAY and window < fitting[0]):
                continue
            findings.append(by_level(kind, window, found, spread[LEVEL], rules))
            if window == fitting[0]:
                findings.append(by_error(kind, window, found, spread[ERROR], rules))
    return [finding for finding in findings if finding.names]


def by_level(kind: str, window: int, found: Deviations, spread: float, rules: Drift) -> Finding:
    """The segments whose sales are too far off their forecast."""
    sd = np.sqrt(spread**2 + found.level_chance)
    return finding(kind, LEVEL, window, found, found.level, np.abs(found.level), sd, np.log1p(rules.level_tolerance), rules)


def by_error(kind: str, window: int, found: Deviations, spread: float, rules: Drift) -> Finding:
    """The segments whose forecasts miss by too much."""
    sd, error = np.sqrt(spread**2 + found.error_chance), np.log(found.error)
    return finding(kind, ERROR, window, found, error, error, sd, np.log1p(rules.mape_tolerance), rules)


def finding(kind: str, what: str, window: int, found: Deviations, change: np.ndarray, size: np.ndarray, sd: np.ndarray,
            tolerance: float, rules: Drift) -> Finding:
    """The segments whose `size` (G,), in logs, is beyond the tolerance and chance, and whether they make up the volume.

    Where they do not, only those stay that are beyond all doubt: of hundreds of series, a few are always far off.
    """
    limit = np.maximum(tolerance, sigmas(kind, found, rules) * sd)
    moved = size >= limit
    confirmed = enough(kind, found, moved, rules)
    if not confirmed:
        moved &= size >= (rules.sigmas + 1) * sd
    order = np.flatnonzero(moved)[np.argsort(-found.due[moved], kind="stable")]
    names, share = [found.names[g] for g in order], float(found.due[order].sum() / max(found.due.sum(), 1e-9))
    return Finding(kind, what, window, names, np.expm1(change[order]), np.expm1(limit[order]), share, confirmed)


def sigmas(kind: str, found: Deviations, rules: Drift) -> float:
    """How improbable a deviation has to be. More for what all series do together, of which the backtest shows little; less where
    several segments have to deviate at once, because no single one makes up the volume."""
    if kind in (EVERYTHING, WEEKDAY):
        return rules.sigmas + 1
    return rules.sigmas if found.due.max() >= rules.volume * found.due.sum() else rules.sigmas - 1


def enough(kind: str, found: Deviations, moved: np.ndarray, rules: Drift) -> bool:
    """Whether the segments that moved are worth a training; one weekday alone may be a holiday."""
    return bool(found.due[moved].sum() >= rules.volume * found.due.sum() and moved.sum() >= (2 if kind == WEEKDAY else 1))


def drifted(findings: Sequence[Finding]) -> bool:
    """Whether any of it is worth a training."""
    return any(found.confirmed for found in findings)


def in_words(found: Finding, seen: Outcome) -> str:
    """A finding for a planner."""
    since = f"from {seen.dates[-found.window]} to {seen.dates[-1]}"
    said = [f"{name} {change:+.0%}" if found.kind != EVERYTHING else f"{change:+.0%}"
            for name, change in zip(found.names[:SHOWN], found.change[:SHOWN], strict=False)]
    more = f" and {len(found.names) - SHOWN} more" if len(found.names) > SHOWN else ""
    what = "sales against their forecast" if found.what == LEVEL else "forecast errors against what is normal"
    whose = "of all series together" if found.kind == EVERYTHING else f"by {found.kind}"
    share = "" if found.kind == EVERYTHING else f"; {found.share:.0%} of all sales"
    return f"{what} {whose} {since}: {', '.join(said)}{more} (normal: up to {found.limit[:SHOWN].max():.0%}{share})"


def figures(seen: Outcome, normal: dict[str, Any]) -> dict[str, float]:
    """current_*: the champion's errors on these days; baseline_*: what its backtest makes normal for their season and horizon."""
    known = ~np.isnan(seen.sales)
    now = errors(seen.sales, seen.forecast)
    due = expected_errors(seen.forecast[known], seen.sd[known])
    return {f"current_{name}": now[name] for name in CURRENT} | {
        f"baseline_{name}": normal["error_per_sd"][name] * due[name] for name in BASELINE}


FIGURES = tuple(f"{when}_{name}" for when, names in (("current", CURRENT), ("baseline", BASELINE)) for name in names)


def reasons(verdict: Verdict, normal: dict[str, Any]) -> list[str]:
    """Why to train, or why not."""
    trained, seen = verdict.trained_through, verdict.seen
    if verdict.obstacle:
        return [verdict.obstacle]
    if verdict.confirmed == verdict.newest and seen is not None:
        return [in_words(found, seen) for found in verdict.findings if found.confirmed]
    if verdict.confirmed is not None:
        return [f"drift was confirmed on {verdict.confirmed}; the champion, trained through {trained}, is still in place"]
    if seen is None:
        return [f"too early to judge a champion that was trained through {trained}: {min(windows(REVIEW))} days are needed"]
    now = figures(seen, normal)
    return [f"errors are normal: MAPE {now['current_mape']:.1f} %, {now['baseline_mape']:.1f} % is what the backtest lets expect"]


def as_dict(found: Finding) -> dict[str, Any]:
    """A finding for reports/drift_summary.json, with its largest segments."""
    return {"kind": found.kind, "what": found.what, "days": found.window, "confirmed": found.confirmed, "share": found.share,
            "segments": [{"name": name, "change": float(change), "limit": float(limit)} for name, change, limit in
                         list(zip(found.names, found.change, found.limit, strict=True))[:SHOWN]]}


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
