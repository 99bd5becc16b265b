"""Broken feeds through the whole pipeline: told as problems of the data, or refused; nothing is trained on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pipelines import FIRST, QUIET, Project, as_of

pytestmark = pytest.mark.slow


def test_a_missing_store_is_told_a_changed_schema_is_refused_and_neither_trains(bootstrapped: Project, tmp_path: Path) -> None:
    project = bootstrapped.copy(tmp_path)
    project.promote()
    project.set(as_of(QUIET))
    source, last = project.root / "data/sales.csv", str(FIRST + QUIET - 10)
    rows = source.read_text().splitlines()
    kept = [row for row in rows if row.split(",")[1] != "2" or row.split(",")[0] <= last]
    assert 0 < len(rows) - len(kept)
    source.write_text("\n".join(kept) + "\n")
    ran = project.repro()
    assert "drift" in ran
    assert "train" not in ran
    summary = project.read("reports/drift_summary.json")
    assert not summary["retrain"]
    assert not summary["concept_drift_detected"]
    assert summary["data_problems"][0].startswith(f"no sales where some were expected: store 2 since {last}")

    flag = project.read("reports/retrain_flag.json")
    source.write_text(source.read_text().replace("date,store,item,sales", "date,store,item,units", 1))
    said = project.run("dvc", "repro", fails=True)
    assert "has no column 'sales'" in said
    assert "Traceback" not in said
    assert project.read("reports/retrain_flag.json") == flag
