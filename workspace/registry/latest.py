"""models/model_latest.pkl: the champion's model at one stable path, tracked by DVC, for other repositories and for people.

It is derived from models/champion.json, which alone decides: promotions and roll-backs renew it, what a killed one left behind is
made up for by the next one, and no stage reads it. Before the first promotion it is not there.
"""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from demand.champion.champion_record import Champion
from demand.schema.errors import UserError
from workspace.registry.store import champion_bytes
from workspace.run import paths
from workspace.run.dvc_command import last_error, run_dvc
from workspace.run.files import file_text, whole_file


def renew_latest(champion: Champion) -> None:
    """Make it the champion's model, where it is not already."""
    if is_latest(champion):
        return
    with whole_file(paths.LATEST) as part:
        part.write_bytes(champion_bytes(champion))
    Path(f"{paths.LATEST}.dvc").unlink(missing_ok=True)  # a killed DVC may have left half of it, which `dvc add` refuses
    added = run_dvc("add", str(paths.LATEST))
    if added.returncode:
        raise UserError(f"dvc add {paths.LATEST} failed: {last_error([added])}. The champion is in place: "
                        "the next promotion or roll-back tries again")


def is_latest(champion: Champion) -> bool:
    """Whether it is the champion's model: the last step of every change of champion is done."""
    wanted = tracked_md5(Path(f"{champion.model}.dvc"))
    return wanted is not None and tracked_md5(Path(f"{paths.LATEST}.dvc")) == wanted


def tracked_md5(file: Path) -> str | None:
    """The hash that a .dvc file tracks; None where there is no such file."""
    if not os.path.lexists(file):
        return None
    try:
        return str(yaml.safe_load(file_text(file, "run it again"))["outs"][0]["md5"])
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return None
