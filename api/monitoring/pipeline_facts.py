"""What the pipeline's own files say: drift, the champion's error on the newest days, retrainings. For the metrics."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demand.champion.champion_record import TIME_FORMAT
from workspace.run import paths


@dataclass(frozen=True)
class Pipeline:
    """None where a file does not say.

    Attributes:
        drift, retrain: whether the last check found the champion's errors to have drifted, and whether a model is due.
        data_drift, drift_share: whether the data have drifted, and the share of columns that have, 0 to 1.
        checked, as_of: the champion that the last check was about ("" while there was none), and the last day of its sales.
        mape, baseline_mape: %. The champion's on the newest days, and what its backtest lets expect there, once it can be judged.
        retrainings: champions that were promoted so far; the last of them at `last_retraining`, seconds since 1970.
    """

    drift: bool | None = None
    retrain: bool | None = None
    data_drift: bool | None = None
    drift_share: float | None = None
    checked: str | None = None
    as_of: str | None = None
    mape: float | None = None
    baseline_mape: float | None = None
    retrainings: int | None = None
    last_retraining: float | None = None


def read(project: Path) -> Pipeline:
    """From a working tree; a file that is missing or broken leaves its facts out."""
    drift = parsed(project / paths.DRIFT_SUMMARY)
    retrained = promotions(project / paths.RETRAIN_HISTORY)
    return Pipeline(
        drift=yes_or_no(drift, "concept_drift_detected"), retrain=yes_or_no(drift, "retrain"),
        data_drift=yes_or_no(drift, "data_drift_detected"), drift_share=number(part(drift, "data_drift"), "share_of_columns"),
        checked=str(drift["champion"] or "") if "champion" in drift else None,
        as_of=str(drift["as_of"]) if "as_of" in drift else None,
        mape=number(drift, "current_mape"), baseline_mape=number(drift, "baseline_mape"),
        retrainings=len(retrained), last_retraining=max(retrained, default=None),
    )


def parsed(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def part(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def yes_or_no(content: dict[str, Any], name: str) -> bool | None:
    value = content.get(name)
    return value if isinstance(value, bool) else None


def number(content: dict[str, Any], name: str) -> float | None:
    value = content.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def promotions(history: Path) -> list[float]:
    """When champions were promoted; none yet where there is no history."""
    try:
        with history.open(encoding="utf-8", newline="") as file:
            rows = [row["at"] for row in csv.DictReader(file) if row["action"] == "promote"]
        return [datetime.strptime(at, TIME_FORMAT).replace(tzinfo=UTC).timestamp() for at in rows]
    except (OSError, ValueError, KeyError):
        return []
