"""Where sales lie: a folder of files, S3, and what a reader is told of either."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import s3fs
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from demand.cleaning.cleaning_report import prepare
from demand.panel.long_table import to_table
from demand.schema.errors import UserError
from tests.support import s3
from tests.support.examples import PARAMS
from tests.support.pipelines import Project
from tests.support.sales_files import lines, params, text
from workspace.run import paths
from workspace.run.source_files import read_source

ROWS = [*lines(60), *lines(60, "2", level=9)]


def cleaned(files: list[tuple[str, pa.Buffer]]) -> pa.Table:
    settings = params()
    return to_table(prepare(files, settings.data, settings.prepare, settings.forecast.horizon)[0])


def as_parquet(rows: list[str]) -> bytes:
    day, store, item, sales = zip(*(row.split(",") for row in rows), strict=True)
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"date": pa.array(np.array(day, "M8[D]")), "store": list(map(int, store)), "item": list(item),
                                  "sales": list(map(int, sales))}), sink)
    return sink.getvalue().to_pybytes()


WHOLE = [("x.csv", pa.py_buffer(text(*ROWS).encode()))]


def test_a_folder_gives_what_its_rows_give_in_one_file(tmp_path: Path):
    (tmp_path / "2024/new").mkdir(parents=True)
    (tmp_path / "2024/a.csv").write_text(text(*ROWS[:30]))
    (tmp_path / "2024/b.CSV").write_text(text(*ROWS[30:70]).replace(",", ";"))
    (tmp_path / "2024/new/c.parquet").write_bytes(as_parquet(ROWS[70:]))
    for name in ("README.txt", ".gitignore", "_SUCCESS", "2024/.hidden.csv"):
        (tmp_path / name).write_text("none of this")
    files = read_source(str(tmp_path), None)
    assert [Path(name).name for name, _ in files] == ["a.csv", "b.CSV", "c.parquet"]
    assert cleaned(files).equals(cleaned(WHOLE))
    assert [Path(name).name for name, _ in read_source(str(tmp_path), "new/*")] == ["c.parquet"]
    with pytest.raises(UserError, match=r"no file that matches \*\.xls"):
        read_source(str(tmp_path), "*.xls")
    with pytest.raises(UserError, match="cannot be read"):
        read_source(str(tmp_path / "none.csv"), None)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, len(ROWS) - 1), max_size=4), st.randoms())
def test_any_cut_of_the_rows_into_files_gives_the_same(cuts: list[int], rng):
    ends = sorted({0, *cuts, len(ROWS)})
    files = [(f"{k}.csv", text(*ROWS[start:stop]).encode() if rng.random() < 0.5 else as_parquet(ROWS[start:stop]))
             for k, (start, stop) in enumerate(pairwise(ends))]
    rng.shuffle(files)
    assert cleaned([(name, pa.py_buffer(content)) for name, content in files]).equals(cleaned(WHOLE))


def test_rows_of_several_files_are_named_with_their_file():
    files = [("a.csv", pa.py_buffer(text(*lines(5)).encode())), ("b.csv", pa.py_buffer(text(*lines(5)[3:], "x,1,1,2").encode()))]
    with pytest.raises(UserError, match=r"a date that is none: line 4 of b\.csv: 'x'"):
        cleaned(files)
    files[1] = ("b.csv", pa.py_buffer(text(*lines(5)[3:]).encode()))
    with pytest.raises(UserError, match=r"line 2 of b\.csv: \(1 1 2024-01-04\) as in line 5 of a\.csv"):
        cleaned(files)
    other = pa.py_buffer(text(*lines(3), header="date,store,item,units").encode())
    with pytest.raises(UserError, match=r"b\.csv has no column 'sales'"):
        cleaned([files[0], ("b.csv", other)])


def test_new_files_in_a_folder_and_objects_on_s3_are_seen_by_dvc(bootstrapped: Project, tmp_path: Path, monkeypatch):
    project = bootstrapped.copy(tmp_path / "project")
    rows = (project.root / "data/sales.csv").read_text().splitlines()
    half = len(rows) // 2
    folder = project.root / "data/exports"
    folder.mkdir()
    (folder / "1.csv").write_text("\n".join(rows[:half]))
    project.set({"data": {"source": "data/exports", "as_of": None}})
    before = (project.root / paths.CLEANED).read_bytes()
    assert project.repro("prepare") == ["prepare"]
    (folder / "2.csv").write_text("\n".join([rows[0], *rows[half:]]))
    project.set({"data": PARAMS["data"] | {"source": "data/exports", "as_of": project_as_of(bootstrapped)}})
    assert project.repro("prepare") == ["prepare"]
    assert (project.root / paths.CLEANED).read_bytes() == before
    with s3.running(tmp_path) as server:
        where = {"AWS_ENDPOINT_URL": server.endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in (server.credentials() | where).items():
            monkeypatch.setenv(name, value)
        system = s3fs.S3FileSystem()
        system.pipe_file(f"{server.bucket}/sales/1.csv", (folder / "1.csv").read_bytes())
        system.pipe_file(f"{server.bucket}/sales/2.csv", (folder / "2.csv").read_bytes())
        system.pipe_file(f"{server.bucket}/all.csv", (project.root / "data/sales.csv").read_bytes())
        for source in ("sales", "all.csv"):
            project.set({"data": {"source": f"s3://{server.bucket}/{source}"}})
            assert project.repro("prepare") == ["prepare"]
            assert (project.root / paths.CLEANED).read_bytes() == before
            assert project.repro("prepare") == []
        system.pipe_file(f"{server.bucket}/all.csv", (folder / "1.csv").read_bytes())
        project.set({"data": {"as_of": None}})
        assert project.repro("prepare") == ["prepare"]
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(UserError, match="cannot be read"):
            read_source(f"s3://{server.bucket}/all.csv", None)


def project_as_of(project: Project) -> str:
    return yaml.safe_load((project.root / "params.yaml").read_text())["data"]["as_of"]
