"""What the pipeline's own files say: drift, error now and when the champion was promoted, retrainings. For the metrics."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stages import paths
from stages.forecasting.versions import TIME_FORMAT


@dataclass(frozen=True)
class Pipeline:
    """None where a file does not say.

    Attributes:
        drift: whether the last check found drift; `drift_share` of the columns or series drifted, 0 to 1.
        mape, baseline_mape: of the newest evaluation and of the champion when it was promoted, %.
        retrainings: champions that were promoted so far; the last of them at `last_retraining`, seconds since 1970.
    """

    drift: bool | None = None
    drift_share: float | None = None
    mape: float | None = None
    baseline_mape: float | None = None
    retrainings: int | None = None
    last_retraining: float | None = None


def read(project: Path) -> Pipeline:
    """From a working tree; a file that is missing or broken leaves its facts out."""
    drift = parsed(project / paths.DRIFT_SUMMARY)
    baseline = parsed(project / paths.CHAMPION).get("baseline")
    retrained = promotions(project / paths.RETRAIN_HISTORY)
    verdict = drift.get("drift")
    return Pipeline(
        drift=verdict if isinstance(verdict, bool) else None,
        drift_share=number(drift, "drifted_share"),
        mape=number(parsed(project / paths.EVALUATE_METRICS), "mape"),
        baseline_mape=number(baseline if isinstance(baseline, dict) else {}, "mape"),
        retrainings=None if retrained is None else len(retrained),
        last_retraining=max(retrained) if retrained else None,
    )


def parsed(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def number(content: dict[str, Any], name: str) -> float | None:
    value = content.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def promotions(history: Path) -> list[float] | None:
    """When champions were promoted; None where there is no history."""
    try:
        with history.open(encoding="utf-8", newline="") as file:
            rows = [row["at"] for row in csv.DictReader(file) if row["action"] == "promote"]
        return [datetime.strptime(at, TIME_FORMAT).replace(tzinfo=UTC).timestamp() for at in rows]
    except (OSError, ValueError, KeyError):
        return None
