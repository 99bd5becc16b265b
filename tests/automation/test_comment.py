"""The comment on a pull request: real `dvc metrics diff` and `dvc plots diff`, and a stand-in for GitHub's comments."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pipelines import Project

from automation import comment
from stages.forecasting.errors import UserError


class Comments(BaseHTTPRequestHandler):
    """The comments of pull request 7; the token `fork` may only read. Pages hold 100, as GitHub's do."""

    texts: list[str]

    @classmethod
    @contextmanager
    def serving(cls, texts: list[str]) -> Iterator[tuple[str, list[str]]]:
        """The API's address, and the texts of the comments as they change."""
        handler = type("Here", (cls,), {"texts": texts})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", texts
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def do_GET(self) -> None:
        page = int(re.search(r"page=(\d+)$", self.path)[1])  # type: ignore[index]
        found = [{"id": n, "body": text} for n, text in enumerate(self.texts)]
        self.answer(200, found[100 * (page - 1) : 100 * page])

    def do_POST(self) -> None:
        self.change(lambda text: self.texts.append(text), "/repos/someone/demand/issues/7/comments")

    def do_PATCH(self) -> None:
        number = int(self.path.rsplit("/", 1)[1])
        self.change(lambda text: self.texts.__setitem__(number, text), f"/repos/someone/demand/issues/comments/{number}")

    def change(self, make: Any, path: str) -> None:
        assert self.path == path
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        if self.headers["Authorization"] == "Bearer fork":
            return self.answer(403, {"message": "Resource not accessible by integration"})
        if self.headers["Authorization"] != "Bearer right":
            return self.answer(401, {"message": "Bad credentials"})
        make(body)
        return self.answer(200, {})

    def answer(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What stands under the pull request."""
    monkeypatch.setenv("PULL_REQUEST", "7")
    with Comments.serving(["looks good", "please rebase"]) as (address, texts):
        for name, value in {"API_URL": address, "REPOSITORY": "someone/demand", "TOKEN": "right"}.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        yield texts


def test_one_comment_that_is_updated_in_place(texts: list[str]) -> None:
    assert comment.post(f"{comment.MARK}\nfirst") == "commented"
    assert comment.post(f"{comment.MARK}\nsecond") == "comment 2 updated"
    assert texts == ["looks good", "please rebase", f"{comment.MARK}\nsecond"]


def test_it_is_found_behind_a_hundred_others(texts: list[str]) -> None:
    texts[:] = [f"number {n}" for n in range(250)]
    texts[230] = f"{comment.MARK}\nold"
    assert comment.post(f"{comment.MARK}\nnew") == "comment 230 updated"
    assert len(texts) == 250


def test_a_fork_may_not_comment_and_is_told_so(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "fork")
    assert comment.post("text") == comment.DENIED
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    with pytest.raises(UserError, match="GitHub answers 401"):
        comment.post("text")
    assert len(texts) == 2


@pytest.mark.slow
def test_what_is_written(bootstrapped: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = bootstrapped.copy(tmp_path)
    project.run("git", "add", "--all")
    project.run("git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "base")
    monkeypatch.chdir(project.root)
    for name, value in {"SERVER_URL": "https://github.com", "REPOSITORY": "someone/demand", "RUN_ID": "12"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert "No metric has changed." in comment.written("HEAD")
    project.set({"train": {"n_estimators": 2}})
    before = project.read("metrics/evaluate.json")["smape"]
    project.repro("evaluate")
    after = project.read("metrics/evaluate.json")["smape"]
    text = comment.written("HEAD")
    row = next(line for line in text.splitlines() if re.match(r"\| metrics/evaluate.json +\| smape ", line))
    assert [float(cell) for cell in row.split("|")[3:6]] == pytest.approx([before, after, after - before], abs=1e-4)
    assert re.search(r"train\.n_estimators +\| 20 +\| 2 ", text)
    assert "https://github.com/someone/demand/actions/runs/12" in text
    assert "**dvc.lock not current**" in text
    assert text.startswith(comment.MARK)
    page = (project.root / "dvc_plots/index.html").read_text()
    assert "Error by week of the horizon" in page
