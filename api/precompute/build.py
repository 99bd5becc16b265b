"""Computes all forecasts of one model in a process of its own: `python -m api.precompute.build DIRECTORY`, started by model_store.

The server never unpickles anything, and a reload costs it neither time nor memory. Reads, relative to the working directory,
models/champion.json with the model that it names (or models/model.pkl while there is no champion) and
data/processed/feature_data.parquet. The model's sha256 is checked before it is unpickled. Writes a directory of plain arrays
(`Built`), which all workers then map into memory; prints its path.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from api.serving.whatif import stacked
from demand.champion.champion_record import BASELINE, Champion
from demand.model.base.closing_probability import chance_of_closing
from demand.model.demand_model import DemandModel
from demand.panel.arrow import read_parquet
from demand.panel.lag_features import STATE
from demand.panel.long_table import CLEANED, from_table
from demand.planning.forecast_table import forecast_next_days
from demand.schema.errors import UserError
from demand.schema.json_record import sha256
from workspace.registry.store import champion_bytes, read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import write_json

FACTS = "facts.json"


@dataclass(frozen=True)
class Candidate:
    """What is to be served: the verified bytes of a model file, and its pointer; None for the candidate."""

    content: bytes
    champion: Champion | None
    promoted_at: float  # seconds since 1970


def chosen() -> Candidate:
    """The champion, or the candidate while there is none."""
    current = read_champion()
    if current is not None:
        at = np.datetime64(current.promoted_at.removesuffix("Z")).astype("M8[s]").astype(int)
        return Candidate(champion_bytes(current), current, float(at))
    try:
        return Candidate(paths.MODEL.read_bytes(), None, paths.MODEL.stat().st_mtime)
    except FileNotFoundError:
        raise UserError(f"there is neither a champion nor {paths.MODEL}: run dvc repro, or dvc pull") from None


def loaded(candidate: Candidate) -> DemandModel:
    """The model. Unpickling runs code, so this comes after the check of the hash."""
    import joblib

    try:
        model = joblib.load(io.BytesIO(candidate.content))
    except Exception as error:
        raise UserError(f"the model file cannot be read ({type(error).__name__}: {error}): run dvc repro, or dvc pull") from None
    if not isinstance(model, DemandModel):
        raise UserError(f"the model file holds a {type(model).__name__}, not a DemandModel: run dvc repro")
    return model


def facts(candidate: Candidate, model: DemandModel, origin: np.datetime64) -> dict[str, Any]:
    """What /model tells of it."""
    digest = sha256(candidate.content)
    current = candidate.champion
    scores = current.baseline if current else scores_of_candidate(digest)
    return {
        "model_version": current.version if current else f"candidate-{digest[:12]}",
        "role": "champion" if current else "candidate",
        "sha256": digest, "trained_through": str(model.trained_through), "forecast_origin": str(origin),
        "horizon": int(model.facts["horizon"]), "promoted_at": candidate.promoted_at, "metrics": scores, "model": model.facts,
        "known_future": list(model.facts["known_future"]),
    }


def scores_of_candidate(digest: str) -> dict[str, Any]:
    """Its backtest, if metrics/evaluate.json is about this very file."""
    try:
        scores = json.loads(paths.EVALUATE_METRICS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: scores[name] for name in BASELINE if name in scores} if scores.get("model_sha256") == digest else {}


def build(into: Path) -> Path:
    """Compute and write; the directory's name is made of the content of all that was read."""
    candidate = chosen()
    try:
        data = paths.FEATURES.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{paths.FEATURES} is missing: run dvc repro, or dvc pull {paths.FEATURES}") from None
    pointer = candidate.champion.model_dump_json() if candidate.champion else str(candidate.promoted_at)
    parts = (pointer.encode(), candidate.content, data)
    done = into / sha256(b"".join(hashlib.sha256(part).digest() for part in parts))[:24]
    if (done / FACTS).exists():
        return done
    import pyarrow as pa

    model = loaded(candidate)
    known = tuple(model.facts["known_future"])
    try:
        panel = from_table(read_parquet(pa.py_buffer(data), [*CLEANED, *known, *STATE]), known, STATE)
    except (pa.ArrowException, KeyError) as error:
        raise UserError(f"{paths.FEATURES} cannot be read ({error}): run dvc repro, or dvc pull {paths.FEATURES}") from None
    del data
    origin, horizon = panel.last_day, int(model.facts["horizon"])
    made = forecast_next_days(panel, model, horizon)
    ahead = panel.extended(horizon)
    pool = model.pool_at(ahead, origin)
    closing = chance_of_closing(ahead, ahead.column(origin), horizon)
    part = into / f"{done.name}.{os.getpid()}.part"
    part.mkdir(parents=True)
    arrays = {"values": stacked(made), "sales": ahead.sales, "status": ahead.status, "known": ahead.known, "closing": closing}
    for name, array in arrays.items():
        np.save(part / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    (part / "model.bin").write_bytes(model.to_bytes())
    write_json(part / FACTS, facts(candidate, model, origin) | {
        "store": ahead.store.tolist(), "item": ahead.item.tolist(), "first_day": str(ahead.dates[0]),
        "pool": [pool.common, pool.growth, pool.spread]})
    try:
        os.rename(part, done)
    except OSError:  # another worker was faster
        shutil.rmtree(part)
    return done


if __name__ == "__main__":
    run_command(lambda: print(build(Path(sys.argv[1]))))
