"""Every command of README and docs runs in a test, as it stands there, or is listed here with the reason why not."""

from __future__ import annotations

import re
import time

import pytest
import yaml

from tests.docs.test_readme import README, commands, section, small_demo  # noqa: F401  (a fixture)
from tests.support.examples import ROOT
from tests.support.pipelines import Project

PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {  # what each command begins with, and the test that runs it
    "dvc exp run -S 'data.as_of=": "tests/docs/test_readme.py",
    "dvc exp run -S data.as_of=null": "tests/docs/test_readme.py",
    'python -m stages.promote --reason "the first champion"': "tests/docs/test_readme.py",
    "dvc config --local db.shop.url": "tests/workspace/test_import_db.py",
    "dvc import-db --sql": "tests/workspace/test_import_db.py",
    "dvc update data/receipts.csv.dvc": "tests/workspace/test_import_db.py",
    "curl -s 'localhost:8000/explain?store=": "tests/api/test_explain.py",
    "curl -s localhost:8000/predict": "tests/api/test_predict.py",  # the same requests
    "curl -s 'localhost:8000/total": "tests/api/test_totals.py",
    "curl -s 'localhost:8000/orders": "tests/api/test_orders.py",
}
NOT_RUN = {
    "make repro": "installs packages; `.ci/run` runs it in a fresh clone",
    "make test": "runs these tests; `.ci/run` runs it in a fresh clone",
    "make drift-bench": "12 minutes; tests/bench/test_drift_bench.py runs its parts",
    "make replay": "12 minutes; tests/bench/test_bench.py runs its parts",
    "make bench-sums": "8 minutes; tests/bench/test_sums_bench.py runs its parts",
    "make replay-orders": "8 minutes; tests/bench/test_orders_bench.py runs its parts",
    "make serve": "serves until it is stopped; tests/api starts the same server",
    "make stack": "needs Docker; tests/stack runs it there",
    "gh api repos/you/store-item-demand/dispatches": "needs GitHub; tests/automation/test_workflows.py runs what it starts",
    "pip install -c constraints.txt -r requirements-db.txt": "installs packages; requirements-dev.txt includes them",
}
HERE = (section("## Bring your data"), section("## Experiments"), section("## Serve and automate"))


def test_every_command_is_run_or_listed_with_the_reason_why_not() -> None:
    here = [command for text in HERE for command in commands(text)]
    unknown = [command for page in PAGES for command in commands((ROOT / page).read_text())
               if command not in here and not command.startswith((*ELSEWHERE, *NOT_RUN))]
    assert unknown == []
    written = "\n".join((ROOT / page).read_text() for page in PAGES)
    assert [start for start in (*ELSEWHERE, *NOT_RUN) if f"$ {start}" not in written] == []
    for start, place in ELSEWHERE.items():
        assert (ROOT / place).exists(), start


def queued(project: Project) -> None:
    """Wait for the experiments of `dvc queue start`."""
    end = time.monotonic() + 600
    while re.search(r"Queued|Running", project.run("dvc", "queue", "status")):
        assert time.monotonic() < end
        time.sleep(1)


@pytest.fixture
def own_data(small_demo: Project) -> Project:  # noqa: F811
    """The repository on its demo, committed as a user has it, and a sales file that nothing tracks yet."""
    content = (small_demo.root / "data/sales.csv").read_bytes()
    for command in ("git rm -q --cached data/sales.csv", "git commit -qm no-data", "git branch -M main"):
        small_demo.run(*command.split())
    (small_demo.root / "data/sales.csv").write_bytes(content)
    return small_demo


@pytest.mark.slow
def test_your_data_experiments_and_promotion(own_data: Project) -> None:
    project = own_data
    track, commit, first = commands(HERE[0])
    project.run("bash", "-c", track)
    project.run("bash", "-c", commit)
    assert "Running stage 'train'" in project.run("bash", "-c", first)
    assert project.read("metrics/prepare.json")["series"] == 6

    one, queue, start, show, take, metrics, plots, differ = commands(HERE[1])
    project.run("bash", "-c", one)
    project.run("bash", "-c", queue)
    project.run("bash", "-c", start)
    queued(project)
    status = project.run("dvc", "queue", "status")
    assert (status.count("Success"), "Failed" in status) == (3, False), status
    table = project.run("bash", "-c", show)
    assert "max_depth" in table
    name = project.run("dvc", "exp", "list", "--names-only").split()[0]
    assert "Checkout failed" in project.run("bash", "-c", take.replace("NAME", name), fails=True)
    remedy = re.search(r"\| `Checkout failed` .*: `([^`]+)` \|", README)
    assert remedy
    project.run("bash", "-c", remedy[1])
    project.run("bash", "-c", take.replace("NAME", name))
    assert "smape" in project.run("bash", "-c", metrics)
    project.run("bash", "-c", plots)
    project.run("bash", "-c", differ.replace("NAME", name))

    tries, force, listed, back = commands(HERE[2])
    assert "promoted: version" in project.run("bash", "-c", tries)
    project.run("dvc", "exp", "run", "-S", "train.max_depth=3")
    assert "the tax changed on Monday" in project.run("bash", "-c", force) + project.run("bash", "-c", listed)
    assert "version" in project.run("bash", "-c", back)


@pytest.mark.slow
def test_after_a_failed_experiment_the_way_back_that_the_readme_tells(own_data: Project) -> None:
    project = own_data
    before = (project.root / "params.yaml").read_text()
    project.run("dvc", "exp", "run", "-S", "train.max_depth=-1", fails=True)
    assert yaml.safe_load((project.root / "params.yaml").read_text())["train"]["max_depth"] == -1
    back = re.search(r"A failed experiment leaves its values in `params.yaml`: `([^`]+)`", README)
    assert back
    project.run("bash", "-c", back[1])
    assert (project.root / "params.yaml").read_text() == before
    assert project.run("git", "status", "--porcelain", "--untracked-files=no") == ""
