"""The DVC remote: what `make remote` writes where, and how a real S3 server's refusals are told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.support import s3
from tests.support.examples import ROOT


class Repository:
    """A Git and DVC repository with this one's DVC settings and one file of data."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / ".dvc").mkdir()
        for name in (".dvc/config", ".dvc/aws", ".dvc/.gitignore", "params.yaml"):
            (root / name).write_bytes((ROOT / name).read_bytes())
        (root / "sales.csv").write_text("date,store,item,sales\n")
        self.run("git", "init", "--quiet")
        self.dvc("add", "--quiet", "sales.csv")
        self.run("git", "add", "--all")

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DAGSHUB_", "GITHUB_"))}
        settings = {"HOME": str(self.root), "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(command, cwd=self.root, env=kept | settings | environment, capture_output=True, text=True,
                              check=False)

    def dvc(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "dvc", *arguments, **environment)

    def remote(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "automation.dvc_remote", *arguments, **environment)

    def at(self, endpoint: str, url: str = "s3://dvc") -> Repository:
        for name, value in (("endpointurl", endpoint), ("url", url)):
            assert self.dvc("remote", "modify", "dagshub", name, value).returncode == 0
        assert self.dvc("remote", "default", "dagshub").returncode == 0
        return self


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def told(done: subprocess.CompletedProcess[str], *texts: str) -> bool:
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert all(text in done.stderr for text in texts), done.stderr
    return done.stderr.startswith("error: ")


def test_make_evaluates_nothing_that_it_is_given(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for name in (f"$(shell touch {trap})", f"$(touch {trap})", f"`touch {trap}`", f"x'; touch {trap}; '"):
        done = subprocess.run(["make", "--silent", "-o", ".venv/.repro", "remote", f"USER={name}", f"REPO={name}"], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        assert done.returncode
        assert "is no name on DagsHub" in done.stderr
        assert not trap.exists(), name


def test_make_remote_names_the_repository_and_keeps_the_token_out_of_git(repository: Repository) -> None:
    done = repository.remote("set", "someone", "demand", DAGSHUB_TOKEN="a-token")
    assert done.returncode == 0, done.stderr
    listed = repository.dvc("config", "--project", "--list").stdout.splitlines()
    assert "remote.dagshub.endpointurl=https://dagshub.com/someone/demand.s3" in listed
    assert "core.remote=dagshub" in listed
    assert "remote.dagshub.url=s3://dvc" in listed
    local = repository.root / ".dvc/config.local"
    assert local.read_text().count("a-token") == 2  # DagsHub takes it as key and as secret
    assert local.stat().st_mode & 0o077 == 0
    repository.run("git", "add", "--all")
    assert repository.run("git", "grep", "--cached", "a-token").returncode == 1
    assert "a-token" not in done.stdout + done.stderr


@pytest.mark.parametrize(("user", "repo"), [("https://dagshub.com/someone", "demand"), ("someone", ""), ("someone", "a/b")])
def test_make_remote_refuses_what_is_no_name(repository: Repository, user: str, repo: str) -> None:
    before = (repository.root / ".dvc/config").read_bytes()
    assert told(repository.remote("set", user, repo), "is no name on DagsHub")
    assert (repository.root / ".dvc/config").read_bytes() == before


def test_a_new_clone_has_no_default_remote_and_works_without_one(repository: Repository) -> None:
    assert told(repository.remote("check"), "no DVC remote is configured: make remote USER=")
    done = repository.remote("available")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == ["remote: false", "data: true"]


def test_without_credentials_a_fork_is_told_what_is_left_out(repository: Repository, store: s3.Server) -> None:
    repository.at(store.endpoint, f"s3://{store.bucket}")
    params = yaml.safe_load((repository.root / "params.yaml").read_text())
    params["data"]["source"] = "sales.csv"
    (repository.root / "params.yaml").write_text(yaml.safe_dump(params))
    (repository.root / "sales.csv").unlink()
    done = repository.remote("available", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "So is the pipeline: sales.csv is only there" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["remote: false", "data: false"]


def test_the_server_of_these_tests_verifies_signatures(store: s3.Server) -> None:
    def listed(key: str, secret: str) -> int:
        client = boto3.client("s3", "us-east-1", endpoint_url=store.endpoint, aws_access_key_id=key, aws_secret_access_key=secret)
        try:
            return int(client.list_objects_v2(Bucket=store.bucket)["ResponseMetadata"]["HTTPStatusCode"])
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])

    assert listed(store.key, store.secret) == 200
    assert listed(store.key, "wrong") == 403
    assert listed("nobody", store.secret) == 403


def test_push_and_pull(repository: Repository, store: s3.Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"s3://{store.bucket}/{tmp_path_factory.getbasetemp().name}/{repository.root.name}"
    repository.at(store.endpoint, url)
    content = (repository.root / "sales.csv").read_bytes()

    assert told(repository.remote("push", **store.wrong()), "refuses the credentials", "AWS_SECRET_ACCESS_KEY")
    assert told(repository.remote("push"), "no credentials", "make remote with DAGSHUB_TOKEN")
    assert repository.dvc("push", **store.wrong()).returncode != 0  # DVC itself, without our message
    assert repository.dvc("status").stdout.strip() == "Data and pipelines are up to date."  # nothing is lost

    done = repository.remote("push", **store.credentials())
    assert done.returncode == 0, done.stderr
    other = repository.root / "other"
    repository.run("git", "add", "--all")
    repository.run("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "data")
    repository.run("git", "clone", "--quiet", ".", "other")
    assert not (other / "sales.csv").exists()
    for name, value in store.credentials().items():
        key = "access_key_id" if name == "AWS_ACCESS_KEY_ID" else "secret_access_key"
        subprocess.run([sys.executable, "-m", "dvc", "remote", "modify", "--local", "dagshub", key, value], cwd=other, check=True)
    pulled = subprocess.run([sys.executable, "-m", "dvc", "pull"], cwd=other, capture_output=True, text=True, check=False,
                             env=os.environ | store.wrong())
    assert pulled.returncode == 0, pulled.stderr  # what .dvc/config.local says comes before the environment
    assert (other / "sales.csv").read_bytes() == content

    repository.at(store.endpoint, "s3://no-such-bucket")
    assert told(repository.remote("push", **store.credentials()), "there is no bucket no-such-bucket")


def test_an_endpoint_that_does_not_answer(repository: Repository) -> None:
    repository.at(unused())
    done = repository.remote("push", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")
    assert told(done, "cannot be reached", "endpointurl")
    assert repository.dvc("status").stdout.strip() == "Data and pipelines are up to date."


def unused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
