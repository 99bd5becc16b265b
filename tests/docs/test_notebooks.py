"""The notebooks run from start to end."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from nbclient import NotebookClient

from tests.support.examples import PARAMS, ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_two():
    assert [path.name for path in NOTEBOOKS] == ["01_data_preparation.ipynb", "02_drift_detection.ipynb"]


def run(path: Path, folder: Path) -> str:
    """What a notebook prints when it runs in a folder; it shows pictures, and warns of nothing."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in shown) >= 3
    assert not [output for output in shown if output.get("name") == "stderr"]
    return "".join(output["text"] for output in shown if output.get("name") == "stdout")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_demo(path: Path):
    assert {"01": "values times ten", "02": "24 series from 2020-01-01"}[path.stem[:2]] in run(path, path.parent)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "days", "expected"), [
    (NOTEBOOKS[0], 500, "nothing sold, as rows are missing on scattered days"),
    (NOTEBOOKS[0], 40, "data/till.csv: 1 file(s)"),
    (NOTEBOOKS[1], 500, "4 series from 2022-01-01 to 2023-05-15"),
    (NOTEBOOKS[1], 40, "data/till.csv has less than 362 days: this is the demo"),
], ids=["1", "1, short", "2", "2, short"])
def test_a_notebook_looks_at_the_user_s_sales(path: Path, days: int, expected: str, tmp_path: Path):
    """A till's file, without rows for what was not sold; columns of its own."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame([(day, item, units) for day in pd.date_range("2022-01-01", periods=days) for item in "abcd"
                          if (units := rng.poisson(3))], columns=["Datum", "Ware", "Menge"])
    for name in ("demand", "workspace"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "data").mkdir()
    frame.to_csv(tmp_path / "data/till.csv", index=False)
    columns = {"date": "Datum", "store": None, "item": "Ware", "sales": "Menge"}
    data = PARAMS["data"] | {"source": "data/till.csv", "columns": columns}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"data": data}))
    assert expected in run(path, tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_stay_small_and_use_the_stages(path: Path):
    assert path.stat().st_size < 400_000
    assert "from demand" in path.read_text(encoding="utf-8")
