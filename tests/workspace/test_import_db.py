"""Sales in a database: `dvc import-db` from a real PostgreSQL, and new days through `dvc update`."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from automation.check_drift import imported
from tests.support import parts
from tests.support.pipelines import FIRST, START, Project, new_days_go_through_the_loop, sales_csv
from workspace.run import paths

pytestmark = [pytest.mark.slow, pytest.mark.needs("PostgreSQL")]
QUERY = "select day, branch, article, units from receipts"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a PostgreSQL of our own, with sales up to START in it. It refuses to run as root."""
    place = Path(tempfile.mkdtemp(prefix="pg"))
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(place, owner.pw_uid, owner.pw_gid)
    programs = parts.postgres()
    assert programs
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run([programs / "initdb", "-D", place / "data", "-U", "sales", "-A", "trust", "-N"], check=True, cwd=place,
                   capture_output=True, **who)
    with (place / "log").open("wb") as log:
        server = subprocess.Popen([programs / "postgres", "-D", place / "data", "-p", str(port), "-k", place, "-h", "127.0.0.1"],
                                  cwd=place, stdout=log, stderr=log, **who)
    try:
        yield filled(f"postgresql://sales@127.0.0.1:{port}/postgres")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(place)


def filled(address: str) -> str:
    """The database, once it answers, with a table of sales up to START."""
    end = time.monotonic() + 60
    while True:
        try:
            psycopg2.connect(address).close()
            break
        except psycopg2.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.1)
    execute(address, "create table receipts (day date, branch int, article int, units int)")
    add_days(address, FIRST, FIRST + START)
    return address


def execute(address: str, statement: str) -> None:
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def add_days(address: str, first: object, last: object) -> None:
    rows = [row.split(",") for row in sales_csv().splitlines()[1:] if str(first) <= row[:10] <= str(last)]
    execute(address, "insert into receipts values " + ", ".join(f"('{d}', {s}, {i}, {n})" for d, s, i, n in rows))


def test_a_table_is_imported_and_its_new_days_come_through_the_loop(database: str, bootstrapped: Project, tmp_path: Path,
                                                                   monkeypatch: pytest.MonkeyPatch):
    project = bootstrapped.copy(tmp_path / "project")
    before = (project.root / paths.CLEANED).read_bytes()
    project.run("dvc", "config", "--local", "db.shop.url", database.replace("postgresql:", "postgresql+psycopg2:"))
    project.run("dvc", "import-db", "--sql", QUERY, "--conn", "shop", "-o", "data/receipts.csv")
    columns = {"date": "day", "store": "branch", "item": "article", "sales": "units"}
    project.set({"data": {"source": "data/receipts.csv", "columns": columns, "as_of": None}})
    assert project.repro() == ["params", "prepare"]  # the same rows: nothing that follows has changed
    assert (project.root / paths.CLEANED).read_bytes() == before

    monkeypatch.chdir(project.root)
    assert imported() == ["data/receipts.csv.dvc"]
    days_here = [START]

    def grow(day: int) -> None:
        add_days(database, FIRST + days_here[-1] + 1, FIRST + day)
        days_here.append(day)

    new_days_go_through_the_loop(project, "data/receipts.csv.dvc", grow)
    assert database not in (project.root / "data/receipts.csv.dvc").read_text()
