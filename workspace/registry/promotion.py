"""Promotion and roll-back of champions, and the repair of what a killed one left.

A version is stored under models/versions/<UTC time>/ (model.pkl, tracked by DVC, metrics.json, model_card.md); then the pointer
models/champion.json is replaced, then history and log are written. Killed at any moment this leaves the old champion or the new
one, whole: a version is built in a directory of another name that the next promotion clears away, and the pointer comes after
all it names.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from demand.champion.champion_record import (
    METRIC,
    Champion,
    reinstated,
    took_over_at,
)
from demand.champion.history_rows import format_score
from demand.champion.model_card import card
from demand.champion.promote_params import PromoteParams
from demand.champion.promotion_rule import decide_promotion
from demand.schema.errors import UserError
from demand.schema.json_record import sha256
from workspace.registry.candidate import candidate_bytes
from workspace.registry.challenger import Challenger, as_champion, current_user, next_moment, read_challenger
from workspace.registry.history import read_history, record_change
from workspace.registry.latest import is_latest, renew_latest
from workspace.registry.store import STORED, UNFINISHED, champion_bytes, read_champion, stored_versions, write_champion
from workspace.run import paths
from workspace.run.dvc_command import last_error, run_dvc
from workspace.run.files import write_json
from workspace.run.params_file import load_params


def promote(reason: str, force: bool) -> str:
    """Make the candidate the champion; returns a message. A UserError where its backtest does not allow it."""
    tolerance = load_params(PromoteParams).tolerance
    current, content = read_champion(), candidate_bytes()
    if current and current.sha256 == sha256(content):
        return f"the candidate is the champion already: version {current.version}"
    candidate = read_challenger(content, current)
    decision = decide_promotion(candidate.comparison, tolerance)
    if not decision.promote and not force:
        raise UserError(f"not promoted: {decision.reason}. To promote it all the same: --force --reason TEXT")
    reasons = [reason, "" if decision.promote else "forced", decision.reason]
    new = as_champion(candidate, current, "; ".join(filter(None, reasons)))
    store_version(new, candidate)
    write_champion(new)
    record_change(new)
    renew_latest(new)
    return f"promoted: version {new.version}, trained through {new.trained_through}: {decision.reason}"


def store_version(new: Champion, candidate: Challenger) -> None:
    """Put the version in place: all of it, in one rename."""
    building = paths.VERSIONS / f"{UNFINISHED}{new.version}"
    building.mkdir()
    model = building / paths.MODEL.name
    model.write_bytes(candidate.content)
    facts = {"champion": new, "train": candidate.training, "evaluate": candidate.evaluation, "compare": candidate.comparison}
    write_json(building / STORED, {name: fact.model_dump(mode="json") for name, fact in facts.items()})
    (building / "model_card.md").write_text(card(new, candidate.training, candidate.comparison), encoding="utf-8")
    added = run_dvc("add", str(model))
    if added.returncode:
        raise UserError(f"dvc add {model} failed: {last_error([added])}")
    os.rename(building, paths.VERSIONS / new.version)


def rollback(wanted: str | None, reason: str, finished: bool = False) -> str:
    """Make an earlier version the champion again, the one that is named or the previous one; returns a message.

    Args:
        finished: what a killed command had begun was finished just now: where it was a roll-back, this one unless one is named.
    """
    current = read_champion()
    if current is None:
        raise UserError("there is no champion to roll back from")
    if finished and current.action == "rollback" and wanted is None:
        return f"a roll-back that was killed is finished: version {current.version} is the champion again"
    version = wanted or current.previous
    if version is None:
        raise UserError(f"version {current.version} is the first: there is none before it")
    known = {found.version: found for found in stored_versions()}
    if version not in known:
        raise UserError(f"there is no version {version}: {', '.join(known) or 'none is stored'}")
    if version == current.version:
        return f"version {version} is the champion already"
    champion_bytes(known[version])
    new = reinstated(known[version], next_moment(current), current_user(), reason or f"rolled back from {current.version}")
    write_champion(new)
    record_change(new)
    renew_latest(new)
    return f"rolled back: version {version}, trained through {new.trained_through}, is the champion again"


def orphaned_versions() -> list[Champion]:
    """Stored versions that never became champion: a promotion was killed just before. Ids only ever grow, see promote.py."""
    current, was = read_champion(), {row["version"] for row in read_history()}
    last = took_over_at(current) if current else ""
    return [one for one in stored_versions() if one.version > last and one.version not in was]


def repair_interrupted_promotion() -> bool:
    """Finish what a killed promotion left undone, and remove what it left behind; whether a change of champion was not done."""
    current = read_champion()
    undone = current is not None and not is_latest(current)
    if current:
        record_change(current)
    for orphan in orphaned_versions():
        os.rename(paths.VERSIONS / orphan.version, paths.VERSIONS / f"{UNFINISHED}{orphan.version}")
    for left in paths.VERSIONS.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    if current:
        renew_latest(current)  # last: DVC reads every .dvc file here, half ones that a kill has left in a version too
    return undone


def list_versions() -> str:
    """All versions, newest first, and which one serves."""
    current, orphans = read_champion(), orphaned_versions()
    known = [one for one in stored_versions() if one not in orphans]
    if not known:
        return "no version yet: python -m stages.promote makes the candidate the first"
    lines = [f"{'':2}{'version':18}{'trained through':17}{METRIC:>8}  reason"]
    for one in reversed(known):
        mark = "*" if current and one.version == current.version else " "
        score = format_score(one.baseline, METRIC) or "unscored"
        lines.append(f"{mark:2}{one.version:18}{one.trained_through!s:17}{score:>8}  {one.reason}")
    return "\n".join(lines)


@contextmanager
def promotion_lock() -> Iterator[bool]:
    """One promotion at a time, starting from a tidy state; whether a change of champion that was killed had to be finished."""
    paths.VERSIONS.mkdir(parents=True, exist_ok=True)
    directory = os.open(paths.VERSIONS, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield repair_interrupted_promotion()
    except BlockingIOError:
        raise UserError("another promotion is running: wait for it") from None
    finally:
        os.close(directory)
