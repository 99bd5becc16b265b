"""The champion on disk: its pointer, its model file, and the record of every change.

models/champion.json is the only place where production feeds back into the pipeline. It is replaced in one step, after everything
it names is in place, and it holds all that the history and the log say: whatever a killed promotion left out of them is made up
for by the next one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import entry, paths
from stages.forecasting import versions
from stages.forecasting.errors import UserError
from stages.forecasting.versions import Champion
from stages.redaction import redact

if TYPE_CHECKING:
    from stages.forecasting.model import DemandModel

STORED = "metrics.json"  # of a version
UNFINISHED = "unfinished-"  # begins the name of a version that is being built


def read() -> Champion | None:
    """The champion, None before the first promotion."""
    remedy = f"restore it with git checkout -- {paths.CHAMPION}"
    content = read_json(paths.CHAMPION, remedy)
    if content == {"version": None}:
        return None
    return versions.parse(Champion, content, str(paths.CHAMPION), remedy)


def read_json(path: Path, remedy: str) -> Any:
    """A file's JSON; a UserError with the remedy where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {remedy}") from None
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}): {remedy}") from None


def write(champion: Champion) -> None:
    """Make it the champion: one atomic step."""
    entry.write_json(paths.CHAMPION, champion.model_dump(mode="json"))


def load_model(champion: Champion) -> DemandModel:
    """The champion's model, verified before it is unpickled."""
    import joblib

    model: DemandModel = joblib.load(io.BytesIO(model_bytes(champion)))
    return model


def model_bytes(champion: Champion) -> bytes:
    """Its model file, verified; fetched from DVC's cache or remote where it is not in the working tree."""
    path = Path(champion.model)
    if not path.exists():
        fetch(path)
    return versions.verify(path.read_bytes(), champion)


def fetch(path: Path) -> None:
    """`dvc checkout`, and where the cache has not got it `dvc pull`, of one tracked file."""
    said = [dvc(command, f"{path}.dvc") for command in ("checkout", "pull") if not path.exists()]
    if not path.exists():
        raise UserError(f"{path} is missing and DVC could not bring it ({last_line(said)}). "
                        f"Configure the remote that has it (dvc remote add -d NAME URL) and run: dvc pull {path}.dvc")


def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC, of the same environment."""
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)


def last_line(said: list[subprocess.CompletedProcess[str]]) -> str:
    lines = [line.strip() for run in said for line in run.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "no message"


def stored() -> list[Champion]:
    """Every version that was stored, oldest first, as it was first promoted."""
    found = []
    for path in sorted(paths.VERSIONS.glob(f"[0-9]*/{STORED}")):
        remedy = f"restore it with git checkout -- {path}, or remove {path.parent}"
        content = read_json(path, remedy)
        found.append(versions.parse(Champion, content.get("champion"), str(path), remedy))
    return found


def orphans() -> list[Champion]:
    """Stored versions that never became champion: a promotion was killed just before. Ids only ever grow, see promote.py."""
    current, was = read(), {row["version"] for row in history()}
    last = versions.changed(current) if current else ""
    return [one for one in stored() if one.version > last and one.version not in was]


def tidy() -> None:
    """What a killed promotion left undone is done, what it left lying is removed."""
    current = read()
    if current:
        record(current)
    for orphan in orphans():
        os.rename(paths.VERSIONS / orphan.version, paths.VERSIONS / f"{UNFINISHED}{orphan.version}")
    for left in paths.VERSIONS.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)


def history() -> list[dict[str, str]]:
    """The rows of metrics/retrain_history.csv, oldest first."""
    if not paths.RETRAIN_HISTORY.exists():
        return []
    with paths.RETRAIN_HISTORY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(champion: Champion) -> None:
    """Add the change of champion to the history and the log, where it is not in them yet."""
    path = paths.VERSIONS / champion.version / STORED
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    compared = facts.get("compare", {}).get("champion_scores", {}) if champion.action == "promote" else {}
    add(versions.history_row(champion, facts.get("train", {}).get("trained_from"), compared.get(versions.METRIC)))


def add(row: dict[str, str]) -> None:
    """Add a row to the history and the log, without secrets: to each, where it is not in it yet."""
    row = {name: redact(value) for name, value in row.items()}
    rows = history()
    if (row["at"], row["action"]) not in [(known["at"], known["action"]) for known in rows]:
        with entry.whole_file(paths.RETRAIN_HISTORY) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, versions.HISTORY, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows([*rows, row])
    line = versions.log_line(row)
    known = paths.RETRAIN_LOG.read_text(encoding="utf-8") if paths.RETRAIN_LOG.exists() else ""
    if line not in known:
        with entry.whole_file(paths.RETRAIN_LOG) as part:
            part.write_text(known + line, encoding="utf-8")
