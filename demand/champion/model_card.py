"""The model card: what a version is, how good it was in its backtest, and what it must not be used for."""

from __future__ import annotations

from demand.champion.champion_record import METRIC, TABLED, Champion
from demand.champion.history_rows import format_score
from demand.champion.promotion_rule import ComparisonRecord
from demand.model.training_record import TrainingRecord

UNITS = {
    "smape": "%, of 200",
    "mae": "units per day",
    "rmse": "units per day",
    "mape": "%, days without sales left out",
    "wape": "%",
    "mase": "1 is the seasonal naive's error",
    "bias": "%, positive: too much",
}


def card(champion: Champion, training: TrainingRecord, comparison: ComparisonRecord) -> str:
    """The card of a version, in Markdown."""
    settings = ", ".join(f"{key} {value}" for key, value in champion.train.items())
    return "\n".join([
        f"# Demand model, version {champion.version}",
        "",
        f"Forecasts daily sales, 1 to {champion.horizon} days ahead, with 80 % and 95 % intervals.",
        "",
        f"- Trained on {training.rows:,} days of {training.series:,} series of store and item, {training.trained_from} to "
        f"{training.trained_through}.",
        f"- Base: {training.base}. Settings: {settings}.",
        *interval_lines(training),
        f"- Promoted {champion.promoted_at} by {champion.promoted_by}: {champion.reason}.",
        f"- Before it: {champion.previous or 'nothing'}.",
        f"- Model file: sha256 {champion.sha256}.",
        "",
        "## Backtest",
        "",
        *backtest_lines(champion, comparison),
        "",
        *versus(comparison),
        "## Limits",
        "",
        "- It continues what it has seen: a new store, a new item or a promotion of a kind that never happened is a guess.",
        f"- It knows nothing after {champion.trained_through}; the drift stage says when that is no longer good enough.",
        f"- Forecasts beyond {tested_days(champion)} days were never tested.",
        "",
    ])


def interval_lines(training: TrainingRecord) -> list[str]:
    """Where the width of the intervals comes from, if they were not measured."""
    wide = training.intervals == "prior"
    return ["- Intervals: a wide prior, as too few days could be held out to measure them."] if wide else []


def tested_days(champion: Champion) -> int:
    """The horizon of its backtest: shorter than the champion's own where the history was short; 0 without one."""
    return int(champion.baseline.get("horizon", champion.horizon) or 0)


def backtest_lines(champion: Champion, comparison: ComparisonRecord) -> list[str]:
    """The scores and where they come from, or that there are none."""
    if not champion.scored:
        return ["**Unscored**: the history was too short for a backtest."]
    scores = ((name, format_score(champion.baseline, name)) for name in TABLED)
    origins = ", ".join(map(str, comparison.origins))
    return [
        f"Means over the origins {origins}, {tested_days(champion)} days each.",
        "At every origin the same settings were fitted to what was known then.",
        "",
        "| measure | value | unit |",
        "| --- | --- | --- |",
        *(f"| {name} | {score} | {UNITS[name]} |" for name, score in scores if score),
    ]


def versus(comparison: ComparisonRecord) -> list[str]:
    """How it compared with the champion before it."""
    if comparison.champion is None or METRIC not in comparison.candidate:
        return []
    ours, theirs = comparison.candidate[METRIC], comparison.champion_scores[METRIC]
    return [
        f"{METRIC.upper()} {ours:.3f} against {theirs:.3f} of version {comparison.champion} at the same origins.",
        *(f"From {origin}, which neither had seen: {scores['candidate'][METRIC]:.3f} against {scores['champion'][METRIC]:.3f}."
          for origin, scores in comparison.unseen.items()),
        "",
    ]
