"""Why to train, or why not, in words."""

from __future__ import annotations

import numpy as np

from demand.backtest.error_model import ErrorModel
from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.backtest.segments import EVERYTHING, windows
from demand.drift.decision import Finding, Verdict
from demand.drift.measures import LEVEL, REVIEW
from demand.panel.training_window import FEWEST_DAYS

SHOWN = 5  # segments that a reason names
NOTABLE = 0.05  # relative rise of MAPE from which it is explained why it is no alarm


def in_words(found: Finding, last: np.datetime64) -> str:
    """A finding for a planner; its window ends on that day."""
    since = f"from {last - found.window + 1} to {last}"
    named = [f"{name} {change:+.0%}" if found.kind != EVERYTHING else f"{change:+.0%}"
             for name, change in zip(found.names[:SHOWN], found.change[:SHOWN], strict=False)]
    more = f" and {len(found.names) - SHOWN} more" if len(found.names) > SHOWN else ""
    what = "sales against their forecast" if found.what == LEVEL else "forecast errors against what is normal"
    whose = "of all series together" if found.kind == EVERYTHING else f"by {found.kind}"
    share = "" if found.kind == EVERYTHING else f"; {found.share:.0%} of all sales"
    return f"{what} {whose} {since}: {', '.join(named)}{more} (normal: up to {found.limit[:SHOWN].max():.0%}{share})"


def reasons(verdict: Verdict, normal: ErrorModel | None) -> list[str]:
    """Why to train, or why not; never empty."""
    trained, seen = verdict.trained_through, verdict.seen
    if verdict.obstacle:
        return [verdict.obstacle]
    if normal is None:
        return [f"the champion, trained through {trained}, was promoted unscored: a model is due once a backtest fits, that is "
                f"with {FEWEST_DAYS} days of history, and sales in the last of them"]
    if verdict.confirmed is not None:
        moved = [in_words(found, verdict.confirmed) for found in verdict.confirmed_findings if found.confirmed]
        if verdict.confirmed == verdict.newest and moved:
            return moved
        return [f"drift was confirmed on {verdict.confirmed}; the champion, trained through {trained}, is still in place", *moved]
    if seen is None:
        return [f"too early to judge a champion that was trained through {trained}: {min(windows(REVIEW))} days are needed"]
    known = ~np.isnan(seen.sales)
    if not (seen.sales[known] > 0).any():
        return [f"nothing to judge: no sales from {seen.dates[0]} to {seen.dates[-1]} that say anything about demand"]
    minor = [f"reported, too small a share of all sales to train: {in_words(found, verdict.newest)}"
             for found in verdict.findings]
    return [errors_are_normal(seen, known, normal, verdict.mape_limit), *minor]


def errors_are_normal(seen: Residuals, known: np.ndarray, normal: ErrorModel, limit: float | None) -> str:
    """MAPE beside what is expected of it, and, where it is higher, from where on it would be an alarm.

    Args:
        known: (S, H) bool, the days that are judged.
        limit: that alarm, relative to what is expected.
    """
    now = errors(seen.sales, seen.forecast)["mape"]
    expected = normal.error_per_sd.mape * expected_errors(seen.forecast[known], seen.sd[known])["mape"]
    text = f"errors are normal: MAPE {now:.1f} %, {expected:.1f} % is what the backtest lets expect"
    if not set(windows(len(seen.dates))) & set(normal.spread):
        least = min(windows(REVIEW))
        return (f"not judged: MAPE {now:.1f} %, {expected:.1f} % expected, but the backtest forecast {max(normal.spread)} days "
                f"and does not tell how far {least} of them vary: set forecast.horizon to {least} or more")
    if now <= (1 + NOTABLE) * expected or limit is None:
        return text
    return (f"{text}; {now / expected - 1:+.0%} is no alarm below {limit:+.0%}, as the MAPE of {seen.sales.shape[1]} days varies "
            f"that much by chance and in the backtest")
