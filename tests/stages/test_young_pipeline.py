"""Young data through the whole pipeline: unscored, promoted, eight weeks later due for a model, and scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.pipelines import FIRST, Project

pytestmark = pytest.mark.slow


def rows(series: int, days: int) -> str:
    day = np.arange(days)
    units = np.random.default_rng(0).poisson(8 * (1 + 0.3 * (day % 7 >= 5)), (series, days))
    lines = [f"{FIRST + d},{s},1,{units[s, d]}" for s, d in np.ndindex(units.shape)]
    return "\n".join(["date,store,item,sales", *lines]) + "\n"


def young(root: Path, source: str) -> Project:
    project = Project.make(root)
    (root / "data/sales.csv").write_text(source)
    project.set({"data": {"as_of": None}, "forecast": {"horizon": 90}, "evaluate": {"origins": 4, "step_days": 91}})
    return project


def test_a_single_sale_is_forecast(tmp_path: Path) -> None:
    project = young(tmp_path, "date,store,item,sales\n2020-01-01,a,b,1\n")
    said = project.run("dvc", "repro")
    assert "90 unscored forecasts from 2020-01-02" in said
    assert "first champion, unscored" in project.promote()
    assert "promoted unscored" in project.run("dvc", "repro")
    assert project.read("metrics/evaluate.json")["smape"] is None
    assert "unscored" in project.promote("--list")
    card, = (tmp_path / "models/versions").glob("*/model_card.md")
    assert "**Unscored**" in card.read_text()


@pytest.mark.parametrize("series", [1, 4])
def test_a_model_is_due_when_a_backtest_fits(series: int, tmp_path: Path) -> None:
    project = young(tmp_path, rows(series, 45 + 56))
    project.set({"data": {"as_of": str(FIRST + 44)}})
    project.repro()
    project.promote()
    assert "train" not in project.repro()
    project.set({"data": {"as_of": str(FIRST + 50)}})
    assert "train" not in project.repro()  # still too young
    project.set({"data": {"as_of": None}})
    assert "train" in project.repro()
    evaluated = project.read("metrics/evaluate.json")
    assert (evaluated["origins"], evaluated["horizon"]) == (1, 45 + 56 - 28)
    assert "the history is too short" not in project.promote()
    assert "train" not in project.repro()
    assert not project.read("reports/drift_summary.json")["retrain"]
    assert project.read("models/champion.json")["baseline"]["horizon"] == 73


def test_a_file_without_a_sale_is_refused(tmp_path: Path) -> None:
    project = young(tmp_path, "date,store,item,sales\n2020-01-01,a,b,\n")
    said = project.run("dvc", "repro", fails=True)
    assert "no row has sales" in said
    assert "Traceback" not in said
