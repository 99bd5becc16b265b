"""The champion on disk: its pointer and its model file.

models/champion.json is the only place where production feeds back into the pipeline. It is replaced in one step, after
everything it names is in place, and it holds all that the history and the log say: what a killed promotion left out of them is
made up for by the next one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demand.champion.champion_record import Champion, verify
from demand.schema.errors import UserError
from demand.schema.json_record import parse_record
from workspace.run import paths
from workspace.run.dvc_command import last_error, run_dvc
from workspace.run.files import file_bytes, read_json, write_json

if TYPE_CHECKING:
    from demand.model.demand_model import DemandModel

STORED = "metrics.json"  # of a version
UNFINISHED = "unfinished-"  # begins the name of a version that is being built


def read_champion() -> Champion | None:
    """The champion, None before the first promotion."""
    remedy = f"restore it with git checkout -- {paths.CHAMPION}"
    content = read_json(paths.CHAMPION, remedy)
    if content == {"version": None}:
        return None
    return parse_record(Champion, content, str(paths.CHAMPION), remedy)


def write_champion(champion: Champion) -> None:
    """Make it the champion: one atomic step."""
    write_json(paths.CHAMPION, champion.model_dump(mode="json"))


def load_model(champion: Champion) -> DemandModel:
    """The champion's model, its file's hash verified."""
    from demand.model.demand_model import read_model

    return read_model(champion_bytes(champion), champion.model)


def champion_bytes(champion: Champion) -> bytes:
    """Its model file, verified; fetched from DVC's cache or remote where it is not in the working tree."""
    path = Path(champion.model)
    if not path.exists():
        fetch_model(path)
    return verify(file_bytes(path, f"run dvc checkout --force {path}.dvc"), champion)


def fetch_model(path: Path) -> None:
    """`dvc checkout`, and where the cache has not got it `dvc pull`, of one tracked file."""
    runs = [run_dvc(command, f"{path}.dvc") for command in ("checkout", "pull") if not path.exists()]
    if not path.exists():
        raise UserError(f"{path} is missing and DVC could not bring it ({last_error(runs)}). "
                        f"Configure the remote that has it (dvc remote add -d NAME URL) and run: dvc pull {path}.dvc")


def stored_versions() -> list[Champion]:
    """Every version that was stored, oldest first, as it was first promoted."""
    found = []
    for path in sorted(paths.VERSIONS.glob(f"[0-9]*/{STORED}")):
        found.append(parse_record(Champion, stored_facts(path)["champion"], str(path), restore_version(path)))
    return found


def stored_facts(path: Path) -> dict[str, dict[str, Any]]:
    """What was stored with a version: its records `champion`, `train`, `evaluate` and `compare`."""
    content = read_json(path, restore_version(path))
    names = ("champion", "train", "evaluate", "compare")
    if not isinstance(content, dict) or not all(isinstance(content.get(name), dict) for name in names):
        raise UserError(f"{path} does not hold the records {', '.join(names)}: {restore_version(path)}")
    return content


def restore_version(path: Path) -> str:
    return f"restore it with git checkout -- {path}, or remove {path.parent}"
