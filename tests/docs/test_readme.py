"""The README's commands, as they stand there: on a small demo they do what it says they do."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.support.examples import ROOT
from tests.support.pipelines import QUICK, Project

README = (ROOT / "README.md").read_text()
SMALL = {"stores": 2, "items": 4}


def section(title: str) -> str:
    """The text from a heading to the next one of its depth or above."""
    depth = title.split(" ")[0]
    return re.split(rf"(?m)^#{{2,{len(depth)}}} ", README.split(f"{title}\n", 1)[1])[0]


def commands(text: str) -> list[str]:
    """The lines of console blocks that begin with $, without comments."""
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```", text)
    return [line[2:].split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def small_demo(tmp_path: Path) -> Project:
    """This repository with a demo of eight series, committed, before its first `dvc repro`."""
    project = Project.make(tmp_path)
    for name in ("data/demo/dvc.yaml", "data/demo/.gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    project.set({**QUICK, "demo": SMALL, "data": {"source": "data/demo/sales.csv", "as_of": None}})
    for name, value in (("user.name", "me"), ("user.email", "me@localhost")):  # DVC's experiments are commits
        project.run("git", "config", name, value)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "start")
    return project


@pytest.mark.slow
def test_see_the_gate_work(small_demo: Project) -> None:
    first, promote, quiet, drift = commands(section("### See the gate work"))
    assert "Running stage 'train'" in small_demo.run("bash", "-c", first)
    assert "promoted: version" in small_demo.run("bash", "-c", promote)
    said = small_demo.run("bash", "-c", quiet)
    assert "keep 2024-09-30: " in said
    assert "Stage 'train' didn't change, skipping" in said
    said = small_demo.run("bash", "-c", drift)
    assert "train through 2024-12-31: " in said
    assert "Running stage 'train'" in said


def test_the_python_of_the_first_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"(?ms)^```python\n(.*?)^```", README)[0]
    days = pd.date_range("2023-01-01", periods=500).astype(str)
    sales = pd.DataFrame({"date": days, "sales": range(500)}).merge(pd.DataFrame({"store": [1], "item": [1]}), how="cross")
    (tmp_path / "data/demo").mkdir(parents=True)
    sales.to_csv(tmp_path / "data/demo/sales.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, pd.DataFrame] = {}
    exec(code, names)
    assert len(names["ahead"]) == 28
    assert names["past"]["cutoff"].nunique() == 4


def test_every_file_that_the_readme_links_is_there() -> None:
    for text in (README, *(path.read_text() for path in (ROOT / "docs").glob("*.md"))):
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert any((place / link).exists() for place in (ROOT, ROOT / "docs")), link
