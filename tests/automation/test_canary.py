"""A canary in every secret: no command prints, records or passes it on, whatever the servers do with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from fastapi import Request

from demand.model.demand_model import DemandModel
from demand.panel.panel import Panel
from tests.api.conftest import HORIZON, SETTINGS, put_data, put_model, tiny_panel
from tests.support.examples import ROOT
from tests.support.hostile import CORE, FORMS, MODES, Hostile, holds_secret, hostile
from tests.support.hub import Hub
from tests.support.ports import free_port
from tests.support.spaces import CREATED, Repo
from workspace.run.files import write_json

VERSION, SPACE = "20260102T030405Z", "shop/demand"
QUIET = {"AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", "DVC_NO_ANALYTICS": "1", "GIT_TERMINAL_PROMPT": "0",
         "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
SECRETS = ("API_KEY", "HF_TOKEN", "SMTP_USER", "SMTP_PASSWORD", "GITHUB_TOKEN", "DAGSHUB_TOKEN", "AWS_ACCESS_KEY_ID",
           "AWS_SECRET_ACCESS_KEY")


class Bystander:
    """Refuses recipients in words that hold what it knows."""

    async def handle_RCPT(self, *_: Any) -> str:
        return f"550 {CORE} is not welcome"


@pytest.fixture(scope="module")
def post() -> Iterator[Controller]:
    server = Controller(Bystander(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield server
    server.stop()


class Workplace:
    """A repository with a tiny champion, an S3 remote and a Git remote that are the hostile server."""

    def __init__(self, root: Path, server: Hostile, post: Controller, secret: str, scratch: Path) -> None:
        self.root, self.scratch, self.server = root, scratch, server
        scratch.mkdir()
        in_url = urllib.parse.quote(secret.strip(), safe="")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in ("LANG", "LD_LIBRARY_PATH")}, **QUIET,
            **dict.fromkeys(SECRETS, secret), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT), "HOME": str(scratch), "HF_HOME": str(scratch / "hf"), "HF_ENDPOINT": server.url,
            "SLACK_WEBHOOK_URL": f"{server.url}/services/T0/{secret}", "SMTP_HOST": post.hostname, "SMTP_PORT": str(post.port),
            "MAIL_FROM": "a@example.org", "MAIL_TO": "b@example.org", "GITHUB_API_URL": server.url, "PULL_REQUEST": "7",
            "GITHUB_REPOSITORY": "someone/demand", "GITHUB_OUTPUT": str(scratch / "output"),
            "GITHUB_STEP_SUMMARY": str(scratch / "summary"), "SOURCE_GIT": f"http://me:{in_url}@127.0.0.1:9/repo.git"}
        for command in (
            ("git", "init", "-q", "-b", "main"), ("dvc", "init", "-q"), ("git", "config", "user.name", "someone"),
            ("git", "config", "user.email", "a@example.org"), ("dvc", "remote", "add", "-q", "-d", "dagshub", "s3://dvc"),
            ("dvc", "remote", "modify", "-q", "dagshub", "endpointurl", server.url), ("git", "add", "-A"),
            ("git", "commit", "-q", "-m", "first"),
            ("git", "remote", "add", "origin", server.url.replace("//", f"//me:{in_url}@") + "/origin.git"),
        ):
            subprocess.run(command, cwd=root, env=self.environment, check=True, capture_output=True)

    def run(self, name: str, *arguments: str, **environment: str) -> str:
        """What the command prints; no secret is in that, nor in any file that it wrote."""
        done = subprocess.run([sys.executable, "-m", name, *arguments], cwd=self.root, env=self.environment | environment,
                              input="the body", capture_output=True, text=True, check=False, timeout=120)
        assert not holds_secret(done.stdout + done.stderr), done.stdout + done.stderr
        self.look_for_secrets()
        return done.stdout + done.stderr

    def look_for_secrets(self) -> None:
        private = (self.root / ".git/config", self.root / ".dvc/config.local")  # where Git and DVC keep them, outside of commits
        for place in (self.root, self.scratch):
            for path in place.rglob("*"):
                if path.is_file() and path not in private:
                    assert not holds_secret(path.read_bytes()), path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny champion and its data."""
    root = tmp_path_factory.mktemp("template")
    panel: Panel = tiny_panel(known=())
    put_data(root, panel)
    put_model(root, DemandModel.fit(panel, SETTINGS, HORIZON), VERSION)
    for name in ("Dockerfile", ".dockerignore", "params.yaml", "requirements-api.lock", "requirements-sbom.lock"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    (root / "reports").mkdir()
    write_json(root / "reports/drift_summary.json", {"as_of": "2024-02-24", "retrain": False, "reasons": ["no drift"]})
    return root


@pytest.fixture
def workplace(template: Path, tmp_path: Path, post: Controller) -> Callable[[Hostile, str], Workplace]:
    def make(server: Hostile, form: str) -> Workplace:
        root = tmp_path / "work"
        subprocess.run(["cp", "-r", str(template), str(root)], check=True)
        return Workplace(root, server, post, FORMS[form], tmp_path / "scratch")

    return make


COMMANDS: dict[str, tuple[str, ...]] = {
    "deploy": ("automation.deploy_space", "--space", SPACE, "--timeout", "1", "--result", "../scratch/result.json"),
    "notify": ("automation.notify", "--subject", "done"),
    "comment": ("automation.comment_on_pr", "post", "--file", "params.yaml"),
    "remote": ("automation.dvc_remote", "check"),
    "record": ("automation.push_results",),
}


CASES = [*((mode, "odd") for mode in (*MODES, "nobody")), ("redirect", "plain"), ("echo", "line break"), ("echo", "broken")]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "form"), CASES)
def test_no_command_tells_a_secret(workplace: Callable[[Hostile, str], Workplace], mode: str, form: str) -> None:
    """Of those that talk to a server. What is broken is sent to nobody."""
    with hostile("echo" if mode == "nobody" else mode) as (server, other):
        place = workplace(server, form)
        if mode == "nobody":
            server.close()
        for name, command in COMMANDS.items():
            server.received = b""
            printed = place.run(*command)
            sent = mode != "nobody" and form != "broken" and name != "record"  # which asks for the remote's credentials last
            assert holds_secret(server.received) == sent, (name, printed, server.received)
            assert form != "broken" or "holds a control character" in printed or name == "record", printed
        assert not holds_secret(other.received)


@pytest.mark.slow
def test_no_other_command_tells_a_secret(workplace: Callable[[Hostile, str], Workplace]) -> None:
    with hostile("json") as (server, _):
        place = workplace(server, "odd")
        remote = (f"dvc_remote {action}" for action in ("repro params", "available", "push"))
        for command in ("check_drift", "try_candidate", *remote, "run_loop"):
            name, *arguments = command.split()
            place.run(f"automation.{name}", *arguments)
        assert b"POST /services/" in server.received  # run_loop reports its failure
        assert "has the token" in place.run("automation.dvc_remote", "set", "someone", "demand")
        local = place.root / ".dvc/config.local"
        assert holds_secret(local.read_text())
        assert local.stat().st_mode & 0o077 == 0
        place.environment["DAGSHUB_TOKEN"] = place.environment["AWS_ACCESS_KEY_ID"] = ""
        place.environment["AWS_SECRET_ACCESS_KEY"] = ""
        subprocess.run(["dvc", "remote", "modify", "-q", "dagshub", "endpointurl", server.url], cwd=place.root,
                       env=place.environment, check=True)
        server.received = b""
        place.run("automation.dvc_remote", "check")
        assert holds_secret(server.received)


class Deployment(Hub):
    """A Hub whose Space is another server, and that may go wrong while a deployment runs there."""

    def __init__(self, root: Path, live: str, token: str) -> None:
        super().__init__(root)
        self.address, self.tokens, self.runtime_of_new = live, {token: "write"}, None
        self.repo = self.repos[SPACE] = Repo(SPACE, private=True, stage="RUNNING")
        self.repo.add("Deploy the one before", CREATED)
        self.repo.tags["good-one"] = self.repo.running = self.repo.head.id

    def build(self, repo: Repo) -> None:
        repo.stage, repo.running = "RUNNING", repo.head.id

    async def info(self, request: Request) -> Any:
        return await super().info(request) | {"host": self.address}

    async def runtime(self, request: Request) -> Any:
        known = await super().runtime(request)
        return self.runtime_of_new if self.runtime_of_new and self.repo.head.title == f"Deploy {VERSION}" else known


@pytest.fixture
def deployment(workplace: Callable[[Hostile, str], Workplace], tmp_path: Path) -> Callable[..., Any]:
    @contextmanager
    def make(mode: str, form: str) -> Iterator[tuple[Workplace, Deployment, Hostile]]:
        with hostile(mode) as (server, other):
            place = workplace(server, form)
            with Deployment.started(tmp_path / "hub", server.url, FORMS[form].strip()) as hub:
                place.environment["HF_ENDPOINT"] = hub.url
                yield place, hub, server
            assert not holds_secret(other.received)

    return make


def settled(place: Workplace) -> dict[str, Any]:
    """The deployment's result, which is in the history as well."""
    result: dict[str, Any] = json.loads((place.scratch / "result.json").read_text())
    place.run("automation.record_deployment", "../scratch/result.json")
    assert f",{result['status']}," in (place.root / "metrics/retrain_history.csv").read_text()
    assert result["status"] in (place.root / "logs/retrain_logs.log").read_text()
    return result


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "form"), [(mode, "odd") for mode in MODES] + [("redirect", "line break")])
def test_a_space_that_misuses_secrets_is_rolled_back_without_them(deployment: Callable[..., Any], mode: str, form: str) -> None:
    with deployment(mode, form) as (place, hub, server):
        printed = place.run(*COMMANDS["deploy"])
        assert "Rolling back to revision" in printed
        good, *later = hub.repo.commits
        assert [commit.title for commit in later] == [f"Deploy {VERSION}", f"Roll back to {good.id[:12]}"]
        assert server.received.count(CORE.encode()) >= 2  # the Hub's token and the API's key
        result = settled(place)
        assert result["status"] == "failed"
        assert "is not ready in time" in result["reason"]


@pytest.mark.slow
def test_a_key_that_cannot_be_sent_is_refused_before_anything_is_changed(deployment: Callable[..., Any]) -> None:
    with deployment("ready", "plain") as (place, hub, server):
        printed = place.run(*COMMANDS["deploy"], API_KEY=FORMS["broken"])
        assert printed == "error: API_KEY: it holds a control character, such as a line break: correct it where it is set\n"
        assert len(hub.repo.commits) == 1
        assert not server.received


@pytest.mark.slow
@pytest.mark.parametrize("answer", [["not", "a runtime", CORE], {"stage": "BUILD_ERROR", "errorMessage": f"wrong key {CORE}"}])
def test_whatever_goes_wrong_after_the_upload_is_rolled_back(deployment: Callable[..., Any], answer: Any) -> None:
    with deployment("ready", "plain") as (place, hub, _):
        hub.runtime_of_new = answer
        printed = place.run(*COMMANDS["deploy"])
        assert "Rolled back: version of before of revision" in printed
        assert hub.repo.head.files == hub.repo.commits[0].files
        assert settled(place)["status"] == "rolled_back"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_is_rolled_back(deployment: Callable[..., Any], number: signal.Signals) -> None:
    with deployment("ready", "plain") as (place, hub, server):
        command = ("automation.deploy_space", "--space", SPACE, "--timeout", "3000", "--result", "../scratch/result.json")
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=place.root, env=place.environment)
        while not server.received and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(60) == 1
        assert hub.repo.head.files == hub.repo.commits[0].files
        result = settled(place)
        assert (result["status"], result["reason"]) == ("rolled_back", "interrupted")
