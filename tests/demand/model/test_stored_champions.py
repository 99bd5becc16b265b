"""A champion stored by any release is read and forecasts as it did: one small model of each is kept for good.

`forecast.json` holds what the release itself forecast from sales.npz. A release that changes the format adds a folder here.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demand.model import model_file
from demand.model.demand_model import dump_model, read_model
from demand.panel.panel import FUTURE, OBSERVED, Panel
from demand.schema.errors import UserError
from tests.support.examples import ROOT

STORED = ROOT / "tests/fixtures/champions"
RELEASES = sorted(path.parent.name for path in STORED.glob("*/model.pkl"))
ORIGIN = np.datetime64("2024-02-24")


def stored_panel() -> Panel:
    """The sales that every stored champion was trained on, and 14 days with a promotion plan."""
    with np.load(STORED / "sales.npz") as archive:
        a = dict(archive)
    days = len(a["dates"]) - a["sales"].shape[1]
    sales = np.pad(a["sales"].astype("f4"), ((0, 0), (0, days)), constant_values=np.nan)
    status = np.where(np.isnan(sales), FUTURE, OBSERVED).astype("u1")
    return Panel(a["store"], a["item"].astype(object), a["dates"], sales, sales.copy(), status,
                            a["promo"].astype("f4")[:, :, None], ("promo",))


def test_there_is_one_of_each_release():
    assert {"0.1.0", "0.2.0", "0.2.0-random-forest", "0.3.0"} <= set(RELEASES)


@pytest.mark.parametrize("release", RELEASES)
def test_it_forecasts_as_it_did(release: str):
    path = STORED / release / "model.pkl"
    made = read_model(path.read_bytes(), str(path)).predict(stored_panel(), ORIGIN, 14)
    expected = json.loads((STORED / release / "forecast.json").read_text())
    assert made.point == pytest.approx(np.array(expected["forecast"]), rel=1e-5)
    assert made.high[80] == pytest.approx(np.array(expected["hi_80"]), rel=1e-5)


def test_joblib_reads_it_too_in_a_process_that_knows_nothing_else():
    code = "import joblib, sys; model = joblib.load(sys.argv[1]); print(type(model).__name__, model.trained_through)"
    done = subprocess.run([sys.executable, "-c", code, STORED / "0.2.0/model.pkl"], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.stdout == f"DemandModel {ORIGIN}\n", done.stderr


@pytest.mark.parametrize("content", [
    b"", b"\x80no pickle", b"cos\nsystem\n(S'touch trap'\ntR.", pickle.dumps({"a": 1}), pickle.dumps(print),
    b"cbuiltins\ngetattr\n(cstages.forecasting.model\nDemandModel\nS'__init__'\ntR.",
    b"cdemand.model.demand_model\nmodel_from_bytes\n(S'text'\ntR.", b"cdemand.model.demand_model\nmodel_from_bytes\n.",
])
def test_anything_else_is_refused_and_nothing_is_run(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"models/model.pkl is no model file|no demand model"):
        read_model(content, "models/model.pkl")
    assert not list(tmp_path.iterdir())


def test_a_newer_format_is_named(monkeypatch: pytest.MonkeyPatch):
    path = STORED / "0.3.0/model.pkl"
    model = read_model(path.read_bytes(), str(path))
    again = dump_model(model)  # with the facts that came after it was stored
    assert dump_model(read_model(again, str(path))) == again
    monkeypatch.setattr(model_file, "FORMAT", 3)
    newer = dump_model(model)
    monkeypatch.undo()
    with pytest.raises(UserError, match="has format 3, this release reads up to 2"):
        read_model(newer, "model.pkl")


def test_a_forest_predicts_what_scikit_learn_predicts():
    from sklearn.ensemble import RandomForestRegressor

    from demand.model.trees.random_forest import Forest, forest_arrays

    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(3000, 6)).astype("f4")
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    target = np.nan_to_num(matrix[:, 0]) + rng.normal(size=3000)
    fitted = RandomForestRegressor(30, max_depth=7, max_features=0.5, random_state=0).fit(matrix, target)
    ours = Forest(forest_arrays([tree.tree_ for tree in fitted.estimators_], fitted.feature_importances_))
    again = Forest.from_bytes(ours.to_bytes())
    new = rng.normal(size=(500, 6)).astype("f4")
    new[rng.random(new.shape) < 0.3] = np.nan
    for forest in (ours, again):
        assert forest.predict(new) == pytest.approx(fitted.predict(new), rel=1e-6)
