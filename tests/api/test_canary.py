"""The canary in SOURCE_GIT and SOURCE_REMOTE_CONFIG: what the API tells everybody about a source that refuses holds no secret."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.precompute import fetch
from api.settings import Settings
from tests.api.test_workers import free_port
from tests.canary import CANARIES, MODES, hostile, traces, traces_in
from tests.conftest import ROOT

KEY = "asked-for"
OPEN, GUARDED = ("/ready", "/metrics", "/health"), ("/model",)


@contextmanager
def served(place: Path, **environment: str) -> Iterator[tuple[httpx.Client, Path]]:
    """`python -m api` in an empty working tree, and its log."""
    port, log = free_port(), place.with_name("log")
    env = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "api"], cwd=place, stdout=output, stderr=output, env=env | {
            "PYTHONPATH": str(ROOT), "PORT": str(port), "POLL_SECONDS": "0", "HOME": str(place)} | environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client, log
    finally:
        process.terminate()
        process.wait(30)


def last_reload(client: httpx.Client) -> dict[str, str]:
    for _ in range(600):
        try:
            if told := client.get("/ready").json().get("last_reload"):
                return dict(told)
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError


@pytest.mark.parametrize(("mode", "kind"), [*zip(MODES, [*CANARIES, *CANARIES], strict=False)])
def test_a_source_that_refuses(mode: str, kind: str, tmp_path: Path) -> None:
    canary, place = CANARIES[kind], tmp_path / "tree"
    place.mkdir()
    with hostile(mode) as (server, elsewhere):
        address = server.url.replace("http://", f"http://{urllib.parse.quote(canary.strip(), safe='')}:x@")
        source = f"{address}/repository.git?private_token={urllib.parse.quote(canary.strip(), safe='')}"
        newline = "\n" if canary.endswith("\n") else ""
        with served(place, SOURCE_GIT=source + newline, API_KEY=canary) as (client, log):
            told = last_reload(client)
            assert told["message"].startswith("the Git repository cannot be read: ")
            answers = [client.get(path) for path in OPEN]
            answers += [client.get(path, headers={"X-API-Key": canary.strip()}) for path in GUARDED]
            reload = client.post("/model/reload", headers={"X-API-Key": canary.strip()})
            for answer in (*answers, reload):
                assert answer.status_code != 401
                assert not traces(answer.content + str(answer.headers).encode()), answer.text
        assert "model not reloaded" in log.read_text()
        assert not traces(log.read_bytes()), log.read_text()
        assert traces_in(place) == {}
        assert mode == "unreachable" or any(map(traces, server.received))
        assert bool(elsewhere.received) == (mode == "redirect")
        assert not [heard for heard in elsewhere.received if b"uthorization" in heard]


@pytest.mark.parametrize("name", ["API_KEY", "SOURCE_GIT", "SOURCE_REMOTE_CONFIG"])
def test_a_control_character_is_refused_by_name(name: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "api"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
                          env=os.environ | {"PYTHONPATH": str(ROOT), name: "quokka71\x1bwombat82"})
    assert done.returncode == 1
    assert done.stderr == f"error: {name}: it holds a control character, such as a line break: correct the environment\n"


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_dvc_fails_with_credentials_in_its_message(canary: str, tmp_path: Path) -> None:
    """The clone is no DVC repository, or the option is none: DVC repeats what it was given."""
    settings = Settings(_env_file=None, source_git="/srv/repository", source_remote="far",  # type: ignore[call-arg]
                        source_remote_config=f"access_key_id=AKIA\nsecret_access_key={canary}")
    assert settings.source_remote_config
    assert settings.source_remote_config.get_secret_value() == f"access_key_id=AKIA secret_access_key={canary.strip()}"
    for arguments in (("remote", "modify", "--local", "far", "option", canary), ("no-such-command", canary), ("pull", canary)):
        with pytest.raises(RuntimeError) as raised:
            fetch.dvc(tmp_path, *arguments)
        assert not traces(str(raised.value).encode())
