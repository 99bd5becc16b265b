"""Why to train, or why not, in words."""

from __future__ import annotations

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.backtest.segments import EVERYTHING, windows
from demand.drift.findings import Finding, Verdict
from demand.drift.measures import LEVEL, REVIEW
from demand.panel.training_window import FEWEST_DAYS
from demand.schema.listing import SHOWN, list_some

NOTABLE = 0.05  # relative rise of MAPE from which it is explained why it is no alarm


def describe_finding(finding: Finding, last: np.datetime64) -> str:
    """A finding for a planner; its window ends on that day."""
    dates = f"from {last - finding.window + 1} to {last}"
    changes = [f"{name} {change:+.0%}" if finding.kind != EVERYTHING else f"{change:+.0%}"
               for name, change in zip(finding.names[:SHOWN], finding.change[:SHOWN], strict=False)]
    listed = list_some(changes, total=len(finding.names))
    what = "sales against their forecast" if finding.what == LEVEL else "forecast errors against what is normal"
    whose = "of all series together" if finding.kind == EVERYTHING else f"by {finding.kind}"
    share = "" if finding.kind == EVERYTHING else f"; {finding.share:.0%} of all sales"
    return f"{what} {whose} {dates}: {listed} (normal: up to {finding.limit[:SHOWN].max():.0%}{share})"


def reasons(verdict: Verdict, error_model: ErrorModel | None) -> list[str]:
    """Why to train, or why not; never empty."""
    trained, residuals = verdict.trained_through, verdict.residuals
    if verdict.obstacle:
        return [verdict.obstacle]
    if error_model is None:
        return [f"the champion, trained through {trained}, was promoted unscored: a model is due once a backtest fits, that is "
                f"with {FEWEST_DAYS} days of history, and sales in the last of them"]
    if verdict.confirmed is not None:
        moved = [describe_finding(finding, verdict.confirmed) for finding in verdict.confirmed_findings if finding.confirmed]
        if verdict.confirmed == verdict.newest and moved:
            return moved
        return [f"drift was confirmed on {verdict.confirmed}; the champion, trained through {trained}, is still in place", *moved]
    if residuals is None:
        return [f"too early to judge a champion that was trained through {trained}: {min(windows(REVIEW))} days are needed"]
    known = ~np.isnan(residuals.sales)
    if not (residuals.sales[known] > 0).any():
        return [f"nothing to judge: no sales from {residuals.dates[0]} to {residuals.dates[-1]} that say anything about demand"]
    minor = [f"reported, too small a share of all sales to train: {describe_finding(finding, verdict.newest)}"
             for finding in verdict.findings]
    return [errors_are_normal(residuals, known, error_model, verdict.mape_limit), *minor]


def errors_are_normal(residuals: Residuals, known: np.ndarray, error_model: ErrorModel, limit: float | None) -> str:
    """MAPE beside the expected one, and, where it is higher, the rise from which it would be an alarm.

    Args:
        known: (S, H) bool, the days that are judged.
        limit: that rise, relative to the expected MAPE.
    """
    actual = errors(residuals.sales, residuals.forecast)["mape"]
    expected = error_model.error_per_sd.mape * expected_errors(residuals.forecast[known], residuals.sd[known])["mape"]
    text = f"errors are normal: MAPE {actual:.1f} %, {expected:.1f} % is what the backtest lets expect"
    if not set(windows(len(residuals.dates))) & set(error_model.spread):
        least = min(windows(REVIEW))
        known_days = max(error_model.spread)
        return (f"not judged: MAPE {actual:.1f} %, {expected:.1f} % expected, but the backtest forecast {known_days} days and "
                f"does not tell how far {least} of them vary: set forecast.horizon to {least} or more")
    if actual <= (1 + NOTABLE) * expected or limit is None:
        return text
    return (f"{text}; {actual / expected - 1:+.0%} is no alarm below {limit:+.0%}, as the MAPE of "
            f"{residuals.sales.shape[1]} days varies that much by chance and in the backtest")
