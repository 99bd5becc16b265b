"""When the candidate may become champion: its backtest must not be worse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import ConfigDict, Field

from demand.champion.champion_record import METRIC
from demand.schema.json_record import ModelRecord


class EvaluationRecord(ModelRecord):
    """metrics/evaluate.json, as far as a promotion needs it."""

    model_config = ConfigDict(extra="allow")

    smape: float | None = Field(description="null for a history that is too short for a backtest, like all scores")


class ComparisonRecord(ModelRecord):
    """metrics/compare.json: the candidate compared with the champion, on days that neither of the compared fits had seen.

    A model cannot be scored at an origin before its `trained_through`, so at the common origins configurations are
    compared, each fitted to what was known at the origin. At `unseen` origins the champion itself forecasts.
    """

    champion: str | None = Field(description="version compared with")
    same_configuration: bool = Field(description="candidate and champion differ in their training window only")
    origins: list[date]
    candidate: dict[str, float] = Field(description="mean scores of the candidate's configuration over the origins")
    champion_scores: dict[str, float] = Field(description="the same of the champion's configuration; empty without a champion")
    ratio: float | None = Field(description="candidate's smape / champion's; null without a champion, and where that is 0")
    unseen: dict[date, dict[str, dict[str, float]]] = Field(
        description='origin: {"candidate": scores of its configuration fitted there, "champion": scores of its model}')


@dataclass(frozen=True)
class Decision:
    """Whether the candidate becomes champion, and why, in words."""

    promote: bool
    reason: str


def decide_promotion(comparison: ComparisonRecord, tolerance: float) -> Decision:
    """Not worse by more than `tolerance` (relative) at the common origins, nor at those the champion never saw."""
    if METRIC not in comparison.candidate:
        if comparison.champion is None:
            return Decision(True, "first champion, unscored: the history is too short for a backtest")
        return Decision(False, "unscored: the history is too short for a backtest, and there is a champion")
    if comparison.champion is None:
        return Decision(True, f"first champion ({METRIC} {comparison.candidate[METRIC]:.2f})")
    pairs = [(f"at {len(comparison.origins)} common origins", comparison.candidate[METRIC], comparison.champion_scores[METRIC])]
    if comparison.unseen:
        candidate, champion = (sum(scores[who][METRIC] for scores in comparison.unseen.values()) / len(comparison.unseen)
                               for who in ("candidate", "champion"))
        pairs.append((f"at {len(comparison.unseen)} origins after the champion's training", candidate, champion))
    scores = "; ".join(f"{where} {METRIC} {ours:.2f} against the champion's {theirs:.2f}" for where, ours, theirs in pairs)
    worse = any(not ours <= theirs * (1 + tolerance) for _, ours, theirs in pairs)
    return Decision(not worse, f"{'worse' if worse else 'not worse'} than {tolerance:.1%} allows: {scores}")
