"""Computes all forecasts of the model that serves, in a process of its own: python -m api.precompute.build DIRECTORY

Started by the model store, so that a reload costs the server neither time nor memory. Reads, relative to the working directory,
data/processed/feature_data.parquet and the model that serves (workspace/registry/serving.py). Writes a directory of plain arrays,
which all workers then map into memory; prints its path.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from api.serving.whatif import stacked
from demand.champion.champion_record import BASELINE, TIME_FORMAT
from demand.model.base.off_sale import store_trades
from demand.planning.forecast_table import forecast_next_days
from demand.schema.errors import UserError
from demand.schema.json_record import sha256
from workspace.registry.serving import Serving, serving_model
from workspace.registry.store import champion_bytes, read_champion
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import file_bytes, read_json, write_json
from workspace.run.panel_file import read_panel

FACTS = "facts.json"


def inputs() -> tuple[bytes, str]:
    """The bytes of the feature data, and a name made of the content of everything that a computation reads."""
    data = file_bytes(paths.FEATURES, f"run dvc repro, or dvc pull {paths.FEATURES}")
    current = read_champion()
    parts = [current.model_dump_json().encode(), champion_bytes(current)] if current else []
    parts += [file_bytes(path, "run dvc repro") for path in (paths.MODEL, paths.TRAIN_METRICS, paths.EVALUATE_METRICS)
              if path.exists()]
    return data, sha256(b"".join(hashlib.sha256(part).digest() for part in [*parts, data]))[:24]


def facts(serving: Serving, origin: np.datetime64) -> dict[str, Any]:
    """What /model tells of the model that serves."""
    model, current = serving.model, serving.champion
    digest = current.sha256 if current else sha256(paths.MODEL.read_bytes())
    promoted = datetime.strptime(current.promoted_at, TIME_FORMAT).replace(tzinfo=UTC).timestamp() if current else None
    return {
        "model_version": current.version if current else f"candidate-{digest[:12]}",
        "role": "champion" if current else "candidate", "why": serving.reason,
        "sha256": digest, "trained_through": str(model.trained_through), "forecast_origin": str(origin),
        "horizon": int(model.facts["horizon"]), "promoted_at": paths.MODEL.stat().st_mtime if promoted is None else promoted,
        "metrics": current.baseline if current else scores_of_candidate(digest), "model": model.facts,
        "known_future": list(model.facts["known_future"]), "scored": serving.scored,
    }


def scores_of_candidate(digest: str) -> dict[str, Any]:
    """Its backtest, if metrics/evaluate.json is about this very file."""
    try:
        scores = read_json(paths.EVALUATE_METRICS, "run dvc repro")
    except UserError:
        return {}
    if not isinstance(scores, dict):
        return {}
    return {name: scores[name] for name in BASELINE if name in scores} if scores.get("model_sha256") == digest else {}


def build(into: Path) -> Path:
    """Compute and write; the directory's name is made of the content of all that was read."""
    data, name = inputs()
    done = into / name
    if (done / FACTS).exists():
        return done
    panel = read_panel(content=data)
    del data
    serving = serving_model(panel.last_day, panel.known_names)
    model = serving.model
    origin, horizon = panel.last_day, int(model.facts["horizon"])
    made = forecast_next_days(panel, model, horizon)
    ahead = panel.extended(horizon)
    pool = model.pool_at(ahead, origin)
    closing = model.closing_at(ahead, origin, horizon)
    part = into / f"{done.name}.{os.getpid()}.part"
    part.mkdir(parents=True)
    arrays = {"values": stacked(made), "points": made.point, "sales": ahead.sales, "status": ahead.status, "known": ahead.known,
              "closing": closing, "trades": store_trades(ahead)}
    for name, array in arrays.items():
        np.save(part / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    (part / "model.bin").write_bytes(model.to_bytes())
    write_json(part / FACTS, facts(serving, origin) | {
        "store": ahead.store.tolist(), "item": ahead.item.tolist(), "first_day": str(ahead.dates[0]),
        "pool": astuple(pool), "events": ahead.events.to_json() if ahead.events else None,
        "attributes": ahead.attributes.to_json() if ahead.attributes else None})
    try:
        os.rename(part, done)
    except OSError:  # another worker was faster
        shutil.rmtree(part)
    return done


if __name__ == "__main__":
    run_command(lambda: print(build(Path(sys.argv[1]))))
