"""The last drift check on disk: reports/drift_summary.json."""

from __future__ import annotations

from demand.drift.summary_record import DriftSummary
from demand.schema.json_record import parse_record
from workspace.run import paths
from workspace.run.files import REPRO, read_json


def read_drift_summary() -> DriftSummary:
    """The summary that the drift stage wrote last."""
    return parse_record(DriftSummary, read_json(paths.DRIFT_SUMMARY, REPRO), str(paths.DRIFT_SUMMARY), REPRO)
