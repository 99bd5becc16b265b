"""The verdict in words and in figures: reports/drift_summary.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from demand.backtest.residuals import Residuals, expected_errors
from demand.backtest.scores import errors
from demand.backtest.segments import EVERYTHING, windows
from demand.champion.champion_record import Champion
from demand.drift.decision import Finding, Verdict, drifted
from demand.drift.measures import LEVEL, REVIEW

SHOWN = 5  # segments that a reason names
CURRENT, BASELINE = ("mae", "rmse", "mape", "smape", "wape", "bias"), ("mae", "rmse", "mape")  # figures of the summary


def in_words(found: Finding, seen: Residuals) -> str:
    """A finding for a planner."""
    since = f"from {seen.dates[-found.window]} to {seen.dates[-1]}"
    said = [f"{name} {change:+.0%}" if found.kind != EVERYTHING else f"{change:+.0%}"
            for name, change in zip(found.names[:SHOWN], found.change[:SHOWN], strict=False)]
    more = f" and {len(found.names) - SHOWN} more" if len(found.names) > SHOWN else ""
    what = "sales against their forecast" if found.what == LEVEL else "forecast errors against what is normal"
    whose = "of all series together" if found.kind == EVERYTHING else f"by {found.kind}"
    share = "" if found.kind == EVERYTHING else f"; {found.share:.0%} of all sales"
    return f"{what} {whose} {since}: {', '.join(said)}{more} (normal: up to {found.limit[:SHOWN].max():.0%}{share})"


def figures(seen: Residuals, normal: dict[str, Any]) -> dict[str, float | None]:
    """current_*: the champion's errors on these days; baseline_*: what its backtest makes normal for their season and horizon.

    None where no day says anything about demand.
    """
    known = ~np.isnan(seen.sales)
    if not known.any():
        return dict.fromkeys(FIGURES)
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
    if now["current_mape"] is None or np.isnan(now["current_mape"]):
        return [f"nothing to judge: no sales from {seen.dates[0]} to {seen.dates[-1]} that say anything about demand"]
    return [f"errors are normal: MAPE {now['current_mape']:.1f} %, {now['baseline_mape']:.1f} % is what the backtest lets expect"]


def as_dict(found: Finding) -> dict[str, Any]:
    """A finding for reports/drift_summary.json, with its largest segments."""
    return {"kind": found.kind, "what": found.what, "days": found.window, "confirmed": found.confirmed, "share": found.share,
            "segments": [{"name": name, "change": float(change), "limit": float(limit)} for name, change, limit in
                         list(zip(found.names, found.change, found.limit, strict=True))[:SHOWN]]}


def concept_summary(verdict: Verdict, of: Champion | None) -> dict[str, Any]:
    """The part of the summary that says how the champion did, and what follows."""
    normal = of.baseline["normal"][0] if of else {}
    return {
        "as_of": str(verdict.newest),
        "champion": of and of.version,
        "trained_through": of and str(of.trained_through),
        "train_through": verdict.train_through,
        "retrain": verdict.retrain,
        "reasons": reasons(verdict, normal),
        "concept_drift_detected": drifted(verdict.findings),
        **(figures(verdict.seen, normal) if verdict.seen else dict.fromkeys(FIGURES)),
        "backtest_mape": of and of.baseline.get("mape"),
        "findings": [as_dict(found) for found in verdict.findings],
    }
