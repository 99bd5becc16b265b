"""A canary in every secret of the API: no answer and no log holds it, and no other host gets it."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.api.conftest import put_data, put_model
from tests.api.test_fetch import run
from tests.support.examples import ROOT
from tests.support.hostile import CORE, FORMS, MODES, holds_secret, hostile
from tests.support.ports import free_port

QUIET = {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", "DVC_NO_ANALYTICS": "1", "POLL_SECONDS": "0"}


@contextmanager
def serving(place: Path, **environment: str) -> Iterator[httpx.Client]:
    """`python -m api` once its first reload is over; what it logs is without secrets."""
    port, log = free_port(), place / "log"
    env = QUIET | {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(ROOT), "HOME": str(place), "PORT": str(port),
                   "STATE_DIR": str(place / "state")} | environment
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "api"], cwd=place, env=env, stdout=file, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for_reload(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(30)
    assert not holds_secret(log.read_bytes()), log.read_text()
    assert "model not reloaded" in log.read_text()


def wait_for_reload(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            if client.get("/ready").json()["last_reload"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the API has ended")


def look_at_answers(client: httpx.Client, key: str) -> str:
    """The message of /ready; no answer holds a secret."""
    paths = ("/ready", "/metrics", "/model", "/series", "/docs")
    answers = {path: client.get(path, headers={"X-API-Key": key}) for path in paths}
    answers["/model/reload"] = client.post("/model/reload", headers={"X-API-Key": key})
    for path, answer in answers.items():
        assert not holds_secret(answer.text + str(answer.headers)), path
    assert [answers[path].status_code for path in ("/ready", "/model", "/model/reload")] == [503, 503, 409]  # the key is right
    return str(answers["/ready"].json()["last_reload"]["message"])


@pytest.mark.parametrize(("mode", "form"), [*((mode, "odd") for mode in (*MODES, "nobody")), ("redirect", "line break")])
def test_the_token_of_the_git_repository(tmp_path: Path, mode: str, form: str) -> None:
    secret = FORMS[form]
    with hostile("echo" if mode == "nobody" else mode) as (server, other):
        if mode == "nobody":
            server.close()
        token = urllib.parse.quote(secret.strip(), safe="")
        url = server.url.replace("//", f"//me:{token}@") + "/repo.git"
        with serving(tmp_path, SOURCE_GIT=f"{url}\n", SOURCE_REMOTE_CONFIG=f"access_key_id={CORE}", API_KEY=secret) as client:
            assert "the Git repository cannot be read" in look_at_answers(client, secret.strip())
        assert holds_secret(server.received) == (mode != "nobody")
        assert not holds_secret(other.received)


@pytest.mark.parametrize("mode", ["echo", "json", "redirect"])
def test_the_credentials_of_the_remote(tmp_path: Path, panel: Panel, model: DemandModel, mode: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    run(tree, "git", "init", "--quiet")
    run(tree, sys.executable, "-m", "dvc", "init", "--quiet")
    put_data(tree, panel)
    put_model(tree, model)
    run(tree, sys.executable, "-m", "dvc", "remote", "add", "--default", "there", str(tmp_path / "remote"))
    run(tree, sys.executable, "-m", "dvc", "add", "--quiet", "models/model.pkl", "data/processed/feature_data.parquet")
    run(tree, sys.executable, "-m", "dvc", "remote", "modify", "there", "url", "s3://dvc")
    with hostile(mode) as (server, other):
        run(tree, sys.executable, "-m", "dvc", "remote", "modify", "there", "endpointurl", server.url)
        run(tree, "git", "add", "--all")
        run(tree, "git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", "first")
        config = f"access_key_id={CORE}%20'a\nsecret_access_key={CORE}\n"
        with serving(tmp_path, SOURCE_GIT=str(tree), SOURCE_REMOTE_CONFIG=config, API_KEY=CORE) as client:
            assert "dvc pull failed" in look_at_answers(client, CORE)
        assert holds_secret(server.received)
        assert not holds_secret(other.received)
    local, = (tmp_path / "state").rglob("config.local")
    assert local.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "value"), [("API_KEY", FORMS["broken"]), ("API_KEY", " \n"), ("POLL_SECONDS", f"{CORE} 1")])
def test_a_wrong_setting_is_named_and_not_shown(tmp_path: Path, name: str, value: str) -> None:
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "SOURCE_GIT": f"https://{CORE}@host/repo.git", name: value}
    for command in (["-m", "api"], ["-c", "import api.app"]):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 1
        assert name in done.stderr.upper()
        assert not holds_secret(done.stdout + done.stderr), done.stderr
        assert command[0] == "-c" or done.stderr.count("\n") == 1, done.stderr
