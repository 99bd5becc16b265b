"""A copy of this repository on data small enough to run whole pipelines of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pyarrow import parquet

from tests.support.examples import ROOT

FIRST = np.datetime64("2020-01-01")
START, QUIET, DRIFTS, STILL, OVER, LATER = 800, 856, 898, 919, 926, 1024  # days since FIRST
RAN = re.compile(r"Running stage '([^']+)'")
QUICK = {"forecast": {"horizon": 28}, "evaluate": {"origins": 2, "step_days": 60}, "train": {"n_estimators": 20, "rows": 8000}}
FAKE_EVIDENTLY = {
    "__init__.py": """
class Report:
    def __init__(self, metrics): pass
    def run(self, current, reference): return self
    def dict(self):
        return {"metrics": [{"config": {"column": "sales", "method": "wasserstein"}, "value": 0.0}]}
    def get_html_str(self, as_iframe): return "<html><body></body></html>"
""",
    "presets.py": "def DataDriftPreset(**settings): return None\n",
}


class Project:
    """A Git and DVC repository of its own, with this repository's files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def make(cls, root: Path) -> Project:
        """On `sales_csv` up to START. Evidently, 4 s to import, is replaced by a stand-in: it decides nothing."""
        project = cls(root)
        copied = ("demand", "workspace", "stages", "requirements-model.txt", "dvc.yaml", "params.yaml", ".dvc", ".dvcignore",
                  ".gitignore", "models", "reports", "logs", "data",
                  ":!data/demo")
        listed = subprocess.run(["git", "ls-files", "-z", "--", *copied], cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        shutil.rmtree(root / "models/versions", ignore_errors=True)
        (root / "models/champion.json").write_text('{"version": null}\n')
        for name, content in FAKE_EVIDENTLY.items():
            (root / "evidently").mkdir(exist_ok=True)
            (root / "evidently" / name).write_text(content)
        (root / "data/sales.csv").write_text(sales_csv())
        project.set({**QUICK, "data": {"source": "data/sales.csv"}})
        project.set(as_of(START))
        project.run("git", "init", "-q")
        project.run("git", "add", "-A")
        return project

    def set(self, changes: dict[str, dict[str, Any]]) -> None:
        """Change values of params.yaml: {section: {key: value}}."""
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section, values in changes.items():
            params[section].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str, fails: bool = False) -> str:
        """The command's output; it must end well, or not if it `fails`."""
        done = subprocess.run(command, cwd=self.root, env=self.environment(), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def environment(self) -> dict[str, str]:
        """`python` and `dvc` are those that run the tests; nothing of the user's settings counts."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", "HOME": str(self.root), "OMP_NUM_THREADS": "1"}

    def repro(self, *arguments: str) -> list[str]:
        """`dvc repro`; the stages that ran."""
        return RAN.findall(self.run("dvc", "repro", *arguments))

    def promote(self, *arguments: str) -> str:
        return self.run("python", "-m", "stages.promote", *arguments)

    def read(self, name: str) -> Any:
        return json.loads((self.root / name).read_text())

    def forecast_days(self) -> np.ndarray:
        """The days that are forecast, sorted."""
        return np.unique(parquet.read_table(self.root / "data/forecast/forecast.parquet")["date"].to_numpy()).astype("M8[D]")

    def model(self) -> bytes:
        return (self.root / "models/model.pkl").read_bytes()

    def copy(self, root: Path) -> Project:
        shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        return Project(root)


def new_days_go_through_the_loop(project: Project, tracked: str, grow: Callable[[int], None]) -> None:
    """`dvc update` of an import: quiet days keep the champion and move the forecast, days that drift train a new one.

    Args:
        tracked: the .dvc file of the import, whose source has the days up to START.
        grow: gives the source the days up to one, counted from FIRST.
    """
    project.promote("--reason", "first")
    project.repro()
    first = project.read("models/champion.json")["version"]
    grow(QUIET)
    assert project.repro() == []  # an import stands still until it is updated
    project.run("dvc", "update", tracked)
    assert project.repro() == ["prepare", "features", "drift", "window", "forecast"]
    assert project.read("reports/drift_summary.json")["retrain"] is False
    assert project.forecast_days()[0] == FIRST + QUIET + 1

    grow(DRIFTS)
    project.run("dvc", "update", tracked)
    assert "train" in project.repro()
    assert project.read("reports/retrain_flag.json") == {"train_through": str(FIRST + DRIFTS)}
    project.promote("--reason", "drift")
    assert project.repro()[-1] == "forecast"
    champion = project.read("models/champion.json")
    assert (champion["previous"], champion["trained_through"]) == (first, str(FIRST + DRIFTS))
    assert project.forecast_days()[0] == FIRST + DRIFTS + 1
    assert project.read("metrics/prepare.json")["last_day"] == str(FIRST + DRIFTS)


def as_of(day: int) -> dict[str, dict[str, str]]:
    return {"data": {"as_of": str(FIRST + day)}}


def sales_csv(stores: int = 2, items: int = 3) -> str:
    """Weekday, season, counting noise; 30 % more from two weeks after QUIET until OVER."""
    rng = np.random.default_rng(0)
    day = np.arange(LATER + 1)
    dates = FIRST + day
    shape = (1 + 0.3 * ((day + 2) % 7 >= 5)) * (1 + 0.2 * np.sin(day * 2 * np.pi / 365.25))
    shape[QUIET + 15 : OVER + 1] *= 1.3
    lines = ["date,store,item,sales"]
    for store in range(1, stores + 1):
        for item in range(1, items + 1):
            units = rng.poisson(12 * store * item**0.5 * shape)
            lines += [f"{day},{store},{item},{sold}" for day, sold in zip(dates, units, strict=True)]
    return "\n".join(lines) + "\n"
