"""Sales at an address: `dvc import-url`, and new days through `dvc update`, through the whole loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pipelines import START, Project, new_days_go_through_the_loop
from tests.support.served_sales import Source


@pytest.mark.slow
def test_a_file_is_imported_and_its_new_days_come_through_the_loop(bootstrapped: Project, tmp_path: Path) -> None:
    project, source = bootstrapped.copy(tmp_path / "project"), Source(tmp_path)
    with source.served() as address:
        project.set({"data": {"as_of": None}})
        project.run("rm", "data/sales.csv")
        project.run("git", "rm", "-q", "--cached", "data/sales.csv")
        project.run("dvc", "import-url", "--quiet", address, "data/sales.csv")
        assert project.repro() == ["params", "prepare"]  # the same rows up to START
        assert project.read("metrics/prepare.json")["rows_read"] == 6 * (START + 1)
        new_days_go_through_the_loop(project, "data/sales.csv.dvc", source.through)
