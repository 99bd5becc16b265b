"""What a model version and a champion are, and when a candidate may become one. Pure: no files, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stages.forecasting.errors import UserError

METRIC = "smape"  # decides; the lower the better
TABLED = ("smape", "mae", "rmse", "mape", "wape", "mase", "bias")  # of the backtest, in cards and in the history
BASELINE = (*TABLED, "pinball", "coverage_80", "coverage_95", "per_origin", "per_month", "normal")
ID_FORMAT = "%Y%m%dT%H%M%SZ"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Content = TypeVar("Content", bound=BaseModel)
About = TypeVar("About", bound="AboutModel")
Digest = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the model file, hexadecimal")


class Champion(BaseModel):
    """The model that serves: models/champion.json, and, as it was first promoted, models/versions/<version>/metrics.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^\d{8}T\d{6}Z$", description="UTC time of its first promotion")
    model: str = Field(description="path of the model file from the repository's root")
    sha256: str = Digest
    trained_through: date = Field(description="last day the training saw")
    train: dict[str, Any] = Field(description="the train section of params.yaml it was trained with")
    known_future: tuple[str, ...] = Field((), description="data.known_future it was trained with")
    horizon: int = Field(gt=0, description="days")
    baseline: dict[str, Any] = Field(description="BASELINE of metrics/evaluate.json: its own backtest")
    promoted_at: str = Field(description="UTC")
    promoted_by: str
    reason: str
    previous: str | None = Field(description="the version that was champion when this one first became it")

    @property
    def action(self) -> str:
        """How it became champion: by promotion, or later again by rollback."""
        return "promote" if self.version == changed(self) else "rollback"


class AboutModel(BaseModel):
    """Metrics that say which model file they are about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_sha256: str = Digest


class Training(AboutModel):
    """metrics/train.json: what the candidate was fitted to."""

    trained_from: date
    trained_through: date
    rows: int = Field(description="of the training window")
    series: int
    horizon: int
    base: str = Field(description="what boosting corrects")
    report: dict[str, Any] = Field(description="how the base was chosen")
    train: dict[str, Any] = Field(description="the train section of params.yaml")
    known_future: tuple[str, ...] = Field(description="data.known_future of params.yaml")


class Evaluation(AboutModel):
    """metrics/evaluate.json, as far as a promotion needs it."""

    model_config = ConfigDict(extra="allow")

    smape: float


class Comparison(AboutModel):
    """metrics/compare.json: the candidate against the champion, on days that neither of the compared fits had seen.

    A model cannot be scored at an origin before its `trained_through`, so at the common origins configuration is held against
    configuration, each fitted to what was known at the origin. At `unseen` origins the champion itself forecasts.
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


def decide(comparison: Comparison, tolerance: float) -> Decision:
    """Not worse by more than `tolerance` (relative) at the common origins, nor at those the champion never saw."""
    if comparison.champion is None:
        return Decision(True, f"first champion ({METRIC} {comparison.candidate[METRIC]:.2f})")
    pairs = [(f"at {len(comparison.origins)} common origins", comparison.candidate[METRIC], comparison.champion_scores[METRIC])]
    if comparison.unseen:
        candidate, champion = (sum(scores[who][METRIC] for scores in comparison.unseen.values()) / len(comparison.unseen)
                               for who in ("candidate", "champion"))
        pairs.append((f"at {len(comparison.unseen)} origins after the champion's training", candidate, champion))
    said = "; ".join(f"{where} {METRIC} {ours:.2f} against the champion's {theirs:.2f}" for where, ours, theirs in pairs)
    worse = any(not ours <= theirs * (1 + tolerance) for _, ours, theirs in pairs)
    return Decision(not worse, f"{'worse' if worse else 'not worse'} than {tolerance:.1%} allows: {said}")


def version_id(now: datetime) -> str:
    """The version that is first promoted at this UTC time."""
    return now.strftime(ID_FORMAT)


def obstacle(champion: Champion, newest: np.datetime64, known_future: Sequence[str]) -> str | None:
    """Why a champion cannot forecast the days after `newest` from data with these known-future columns; None if it can."""
    if np.datetime64(champion.trained_through, "D") > newest:
        return f"champion {champion.version} has seen days after {newest}"
    if champion.known_future != tuple(known_future):
        return (f"champion {champion.version} was trained with data.known_future {list(champion.known_future)}, "
                f"not {list(known_future)}")
    return None


def changed(champion: Champion) -> str:
    """When this champion took over, in the form of a version id: later than all ids that were then stored."""
    return version_id(datetime.strptime(champion.promoted_at, TIME_FORMAT))


def parse(kind: type[Content], content: Any, file: str, remedy: str) -> Content:
    """The model of a file's parsed JSON; a UserError says what is wrong in it and how to get a right one."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise UserError(f"{file} is no {kind.__name__.lower()} ({wrong}): {remedy}") from None


def verify(content: bytes, champion: Champion) -> bytes:
    """The content, if it is the champion's model file. Unpickling runs code: nothing else may be unpickled."""
    digest = sha256(content)
    if digest != champion.sha256:
        raise UserError(f"{champion.model} is not the model that was promoted: its sha256 begins {digest[:12]}, that of version "
                        f"{champion.version} {champion.sha256[:12]}. Restore it with: dvc checkout --force {champion.model}.dvc")
    return content


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def rolled_back(stored: Champion, now: datetime, by: str, reason: str) -> Champion:
    """An earlier champion, again. `previous` stays what it was, so that rolling back twice goes back twice."""
    return stored.model_copy(update={"promoted_at": now.strftime(TIME_FORMAT), "promoted_by": by, "reason": reason})


HISTORY = ("at", "action", "version", "previous", "trained_from", "trained_through", "smape_before", *TABLED, "by", "reason",
           "result", "as_of", "sha256")


def history_row(champion: Champion, trained_from: str | None, before: float | None) -> dict[str, str]:
    """A change of champion as a row of metrics/retrain_history.csv.

    Args:
        trained_from: first day of its training window.
        before: METRIC of the champion it was compared with, at the origins of its own backtest; None where there was none.
    """
    return about(champion) | {
        "at": champion.promoted_at, "action": champion.action, "previous": champion.previous or "",
        "trained_from": str(trained_from or ""), "smape_before": number({METRIC: before}, METRIC),
        "by": champion.promoted_by, "reason": one_line(champion.reason)}


def deployment_row(champion: Champion, at: str, by: str, result: str, reason: str, as_of: str) -> dict[str, str]:
    """An attempt to deploy a champion as a row of the same file.

    Args:
        result: that of automation/deploy.py.
        as_of: newest day of sales that were deployed with it.
    """
    facts = {"at": at, "action": "deploy", "by": by, "reason": one_line(reason), "result": result, "as_of": as_of}
    return about(champion) | facts


def about(champion: Champion) -> dict[str, str]:
    """A row of the history with what holds of the champion itself; nothing in the other columns."""
    scores = {name: number(champion.baseline, name) for name in TABLED}
    return dict.fromkeys(HISTORY, "") | scores | {
        "version": champion.version, "trained_through": str(champion.trained_through), "sha256": champion.sha256}


def log_line(row: Mapping[str, str]) -> str:
    """A row of the history as a line of logs/retrain_logs.log."""
    window = f"{row['trained_from']}/{row['trained_through']}".removeprefix("/")
    result = f" result={row['result']}" if row["result"] else ""
    return (f"{row['at']} {row['action']} version={row['version']} previous={row['previous'] or '-'} window={window} "
            f"{METRIC}={row[METRIC]} before={row['smape_before'] or '-'}{result} by={row['by']} reason={row['reason']!r}\n")


def one_line(text: str) -> str:
    return " ".join(text.split())


def number(scores: Mapping[str, Any], name: str) -> str:
    """A score for the eye, empty where there is none."""
    value = scores.get(name)
    return f"{value:.4f}" if isinstance(value, int | float) else ""
