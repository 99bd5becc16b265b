"""Makes the candidate the champion, if its backtest allows it. A command, not a stage: python -m stages.promote --help.

Reads models/model.pkl and metrics/{train,evaluate,compare}.json. Stores the version under models/versions/<UTC time>/ (model.pkl,
tracked by DVC, metrics.json, model_card.md), then replaces models/champion.json, then adds to metrics/retrain_history.csv and
logs/retrain_logs.log. Killed at any moment it leaves the old champion or the new one, whole: a version is built in a directory of
another name that the next promotion clears away, and the pointer comes after all it names.
"""

from __future__ import annotations

import argparse
import fcntl
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stages import champion, entry, paths
from stages.forecasting import versions
from stages.forecasting.card import card
from stages.forecasting.errors import UserError
from stages.forecasting.versions import Champion, Comparison, Evaluation, Training
from stages.redaction import redact

REPRO = "run dvc repro first"


@dataclass(frozen=True)
class Candidate:
    """models/model.pkl and what is known about it."""

    content: bytes
    training: Training
    evaluation: Evaluation
    comparison: Comparison


def promote(reason: str, force: bool) -> str:
    """Make the candidate the champion and say so; a UserError where its backtest does not allow it."""
    tolerance = entry.load_params().promote.tolerance
    current, content = champion.read(), model_bytes()
    if current and current.sha256 == versions.sha256(content):
        return f"the candidate is the champion already: version {current.version}"
    candidate = read_candidate(content, current)
    decision = versions.decide(candidate.comparison, tolerance)
    if not decision.promote and not force:
        raise UserError(f"not promoted: {decision.reason}. To promote it all the same: --force --reason TEXT")
    said = [reason, "" if decision.promote else "forced", decision.reason]
    new = as_champion(candidate, current, "; ".join(filter(None, said)))
    store(new, candidate)
    champion.write(new)
    champion.record(new)
    return f"promoted: version {new.version}, trained through {new.trained_through}: {decision.reason}"


def as_champion(candidate: Candidate, current: Champion | None, reason: str) -> Champion:
    """What the pointer says when the candidate takes over from the present champion now."""
    now, training = next_moment(current), candidate.training
    version = versions.version_id(now)
    return Champion(
        version=version, model=str(paths.VERSIONS / version / paths.MODEL.name), sha256=training.model_sha256,
        trained_through=training.trained_through, train=training.train, known_future=training.known_future,
        horizon=training.horizon,
        baseline=candidate.evaluation.model_dump(mode="json", include=set(versions.BASELINE)),
        promoted_at=now.strftime(versions.TIME_FORMAT), promoted_by=who(), previous=current.version if current else None,
        reason=reason,
    )


def model_bytes() -> bytes:
    try:
        return paths.MODEL.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{paths.MODEL} is missing: run dvc repro, or dvc pull, first") from None


def read_candidate(content: bytes, current: Champion | None) -> Candidate:
    """The candidate, if all metrics are about its model file, and compare it with the present champion."""
    digest = versions.sha256(content)

    def metrics(kind: type[versions.About], path: Path) -> versions.About:
        found = versions.parse(kind, champion.read_json(path, REPRO), str(path), REPRO)
        if found.model_sha256 != digest:
            raise UserError(f"{path} is about another model than {paths.MODEL}: {REPRO}")
        return found

    candidate = Candidate(content, metrics(Training, paths.TRAIN_METRICS), metrics(Evaluation, paths.EVALUATE_METRICS),
                          metrics(Comparison, paths.COMPARE_METRICS))
    version = current.version if current else None
    if candidate.comparison.champion != version:
        raise UserError(f"{paths.COMPARE_METRICS} is about champion {candidate.comparison.champion}, not {version}: {REPRO}")
    return candidate


def next_moment(current: Champion | None) -> datetime:
    """Now, and after every change of champion that is known: versions stay in order whatever the clock does."""
    known = [version.version for version in champion.stored()]
    if current:
        known.append(versions.changed(current))
    now = datetime.now(UTC).replace(microsecond=0)
    if known:
        now = max(now, datetime.strptime(max(known), versions.ID_FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1))
    return now


def who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def store(new: Champion, candidate: Candidate) -> None:
    """Put the version in place: all of it, in one rename."""
    building = paths.VERSIONS / f"{champion.UNFINISHED}{new.version}"
    building.mkdir()
    model = building / paths.MODEL.name
    model.write_bytes(candidate.content)
    facts = {"champion": new, "train": candidate.training, "evaluate": candidate.evaluation, "compare": candidate.comparison}
    entry.write_json(building / champion.STORED, {name: fact.model_dump(mode="json") for name, fact in facts.items()})
    (building / "model_card.md").write_text(card(new, candidate.training, candidate.comparison), encoding="utf-8")
    added = champion.dvc("add", "--quiet", str(model))
    if added.returncode:
        raise UserError(f"dvc add {model} failed: {champion.last_line([added])}")
    os.rename(building, paths.VERSIONS / new.version)


def rollback(wanted: str | None, reason: str) -> str:
    """Make an earlier version the champion again: the one that is named, or the one before the present."""
    current = champion.read()
    if current is None:
        raise UserError("there is no champion to roll back from")
    version = wanted or current.previous
    if version is None:
        raise UserError(f"version {current.version} is the first: there is none before it")
    known = {found.version: found for found in champion.stored()}
    if version not in known:
        raise UserError(f"there is no version {version}: {', '.join(known) or 'none is stored'}")
    if version == current.version:
        return f"version {version} is the champion already"
    champion.model_bytes(known[version])
    new = versions.rolled_back(known[version], next_moment(current), who(), reason or f"rolled back from {current.version}")
    champion.write(new)
    champion.record(new)
    return f"rolled back: version {version}, trained through {new.trained_through}, is the champion again"


def listing() -> str:
    """All versions, newest first, and which one serves."""
    current, orphans = champion.read(), champion.orphans()
    known = [one for one in champion.stored() if one not in orphans]
    if not known:
        return "no version yet: python -m stages.promote makes the candidate the first"
    lines = [f"{'':2}{'version':18}{'trained through':17}{versions.METRIC:>8}  reason"]
    for one in reversed(known):
        mark = "*" if current and one.version == current.version else " "
        score = versions.number(one.baseline, versions.METRIC)
        lines.append(f"{mark:2}{one.version:18}{one.trained_through!s:17}{score:>8}  {one.reason}")
    return "\n".join(lines)


@contextmanager
def alone() -> Iterator[None]:
    """One promotion at a time, starting from a tidy state."""
    paths.VERSIONS.mkdir(parents=True, exist_ok=True)
    directory = os.open(paths.VERSIONS, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        champion.tidy()
        yield
    except BlockingIOError:
        raise UserError("another promotion is running: wait for it") from None
    finally:
        os.close(directory)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stages.promote", description="Make models/model.pkl the champion.")
    parser.add_argument("--force", action="store_true", help="even if its backtest is worse; needs --reason")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--rollback", nargs="?", const="", metavar="VERSION", help="to an earlier version, by default the last")
    action.add_argument("--list", action="store_true", help="show the versions, change nothing")
    given = parser.parse_args()
    given.reason = redact(given.reason)
    if given.force and not given.reason.strip():
        parser.error("--force needs --reason TEXT")
    return given


def main() -> None:
    given = arguments()
    if given.list:
        print(listing())
        return
    with alone():
        print(promote(given.reason, given.force) if given.rollback is None else rollback(given.rollback or None, given.reason))
    print("Record it: git add models metrics && git commit, then: dvc push")


if __name__ == "__main__":
    entry.run(main)
