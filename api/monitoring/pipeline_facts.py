"""What the pipeline's own files say: drift, the champion's error on the newest days, retrainings. For the metrics."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from demand.champion.champion_record import TIME_FORMAT
from demand.drift.summary_record import DriftSummary
from workspace.run import paths
from workspace.run.files import file_bytes, file_text


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
    drift = last_check(project / paths.DRIFT_SUMMARY)
    retrained = promotions(project / paths.RETRAIN_HISTORY)
    retrainings = Pipeline(retrainings=len(retrained), last_retraining=max(retrained, default=None))
    if drift is None:
        return retrainings
    return replace(retrainings, drift=drift.concept_drift_detected, retrain=drift.retrain, data_drift=drift.data_drift_detected,
                   drift_share=drift.data_drift.share_of_columns, checked=drift.champion or "", as_of=str(drift.as_of),
                   mape=drift.current_mape, baseline_mape=drift.baseline_mape)


def last_check(path: Path) -> DriftSummary | None:
    """The summary of the drift stage; None where there is none, or none that can be read."""
    try:
        return DriftSummary.model_validate_json(file_bytes(path, "run dvc repro"))
    except ValueError:
        return None


def promotions(history: Path) -> list[float]:
    """When champions were promoted; none yet where there is no history."""
    try:
        lines = file_text(history, "restore it").splitlines()
        rows = [row["at"] for row in csv.DictReader(lines) if row["action"] == "promote"]
        return [datetime.strptime(at, TIME_FORMAT).replace(tzinfo=UTC).timestamp() for at in rows]
    except (ValueError, KeyError, TypeError, csv.Error):
        return []
