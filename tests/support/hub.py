"""A stand-in for the Hugging Face Hub: as much of its HTTP API as a Space needs, and Spaces that really run what was uploaded.

The real client talks to it by HF_ENDPOINT. A commit is "built" by writing its files to a directory and starting `python -m api`
there; the Space's address leads to that process, and asks for a token where the Space is private.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
import yaml
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from tests.support.ports import free_port
from tests.support.spaces import CREATED, LARGE, Repo, entry_of, git_hash

WRITE, READ = "hf_write", "hf_read"  # tokens
ID_TOKEN, REQUEST_TOKEN = "id.of.the.workflow", "of-the-runner"
PAGE = 25  # files of a listing


class Hub:
    """`log` holds method and path of every request; `stored` the large files by SHA-256; `shown` the tokens shown to apps."""

    def __init__(self, root: Path) -> None:
        self.root, self.url = root, f"http://127.0.0.1:{free_port()}"
        self.repos: dict[str, Repo] = {}
        self.stored: dict[str, bytes] = {}
        self.log: list[str] = []
        self.shown: set[str] = set()
        self.builds: list[threading.Thread] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.closed = False
        self.tokens = {WRITE: "write", READ: "read"}

    @classmethod
    @contextmanager
    def started(cls, root: Path, *arguments: str) -> Iterator[Self]:
        hub = cls(root, *arguments)
        server = uvicorn.Server(uvicorn.Config(hub.app(), port=int(hub.url.rsplit(":", 1)[1]), log_level="error"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield hub
        finally:
            server.should_exit = True
            thread.join()
            hub.closed = True
            for work in hub.builds:
                work.join()
            for process in hub.processes:
                process.kill()
                process.wait()

    def environment(self, **more: str) -> dict[str, str]:
        """For a process that deploys here. Xet's own protocol is not part of the stand-in: large files come by Git LFS."""
        others = ("HF_", "GITHUB_", "ACTIONS_", "API_KEY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return {**kept, "HF_ENDPOINT": self.url, "HF_TOKEN": WRITE, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
                "HF_HOME": str(self.root / "home"), **more}

    def sent(self, method: str) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.log if line.startswith(f"{method} ")]

    def build(self, repo: Repo) -> None:
        """What happens after a commit, in a thread."""
        commit = repo.head
        repo.error, repo.stage = repo.fails(commit.files), "RUNNING_BUILDING" if repo.process else "BUILDING"
        if repo.error:
            repo.stage, repo.running = "BUILD_ERROR", commit.id
            return
        place = self.root / commit.id
        for path, content in commit.files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "API_KEY")}
        port = free_port()
        process = subprocess.Popen([sys.executable, "-m", "api"], cwd=place, env={
            **kept, "HOST": "127.0.0.1", "PORT": str(port), "STATE_DIR": str(place / "state"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        while process.poll() is None and not self.closed:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        if process.poll() is not None:
            repo.stage, repo.running, repo.error = "RUNTIME_ERROR", commit.id, f"exit code {process.returncode}"
            return
        old = process if repo.stale else repo.process
        if not repo.stale:
            repo.process, repo.port = process, port
        if old:
            old.kill()
            old.wait()
        repo.stage, repo.running = "RUNNING", commit.id

    def app(self) -> FastAPI:
        app = FastAPI()
        app.middleware("http")(self.watch)
        for kind, path, answer in (
            ("POST", "/api/repos/create", self.create), ("POST", "/api/validate-yaml", self.validate),
            ("GET", "/api/spaces/{owner}/{name}", self.info), ("GET", "/api/spaces/{owner}/{name}/runtime", self.runtime),
            ("POST", "/api/spaces/{owner}/{name}/preupload/{revision}", self.preupload),
            ("POST", "/spaces/{owner}/{name}.git/info/lfs/objects/batch", self.batch), ("PUT", "/lfs/{digest}", self.store),
            ("POST", "/api/spaces/{owner}/{name}/commit/{revision}", self.commit),
            ("GET", "/api/spaces/{owner}/{name}/tree/{revision}", self.tree),
            ("POST", "/api/spaces/{owner}/{name}/paths-info/{revision}", self.paths),
            ("GET", "/spaces/{owner}/{name}/resolve/{revision}/{path:path}", self.resolve),
            ("GET", "/api/spaces/{owner}/{name}/commits/{revision}", self.history),
            ("GET", "/api/spaces/{owner}/{name}/refs", self.refs),
            ("POST", "/api/spaces/{owner}/{name}/tag/{revision}", self.tag),
            ("GET", "/github", self.id_token), ("POST", "/oauth/token", self.exchange),
        ):
            app.add_api_route(path, answer, methods=[kind])
        app.add_api_route("/live/{owner}/{name}/{path:path}", self.live, methods=["GET", "POST"])
        return app

    async def watch(self, request: Request, call_next: Callable[[Request], Any]) -> Any:
        self.log.append(f"{request.method} {request.url.path}")
        path = request.url.path
        if path.startswith(("/api/", "/spaces/")):
            right = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if right is None:
                return JSONResponse({"error": "Invalid username or password."}, 401)
            if right == "read" and request.method == "POST" and path != "/api/validate-yaml":
                return JSONResponse({"error": "You have read access but not the required permissions for this operation"}, 403)
            parts = path.split("/")
            if "repos" not in parts and "validate-yaml" not in parts:
                name = "/".join(parts[parts.index("spaces") + 1:][:2]).removesuffix(".git")
                if name not in self.repos:
                    return JSONResponse({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        return await call_next(request)

    def of(self, request: Request) -> Repo:
        return self.repos["{owner}/{name}".format(**request.path_params)]

    async def create(self, request: Request) -> Any:
        asked = await request.json()
        repo = Repo(f"{asked['organization']}/{asked['name']}", asked.get("visibility") == "private")
        assert asked["type"] == "space"
        assert asked["sdk"] == "docker"
        repo.add("initial commit", CREATED)
        self.repos[repo.name] = repo
        return {"url": f"{self.url}/spaces/{repo.name}"}

    async def validate(self, request: Request) -> Any:
        front = yaml.safe_load((await request.json())["content"].split("---")[1])
        wrong = [] if front.get("sdk") == "docker" and isinstance(front.get("app_port"), int) else [{"message": "sdk, app_port"}]
        return JSONResponse({"errors": wrong, "warnings": []}, 400 if wrong else 200)

    async def info(self, request: Request) -> Any:
        repo = self.of(request)
        return {"id": repo.name, "sha": repo.head.id, "private": repo.private, "sdk": "docker",
                "host": f"{self.url}/live/{repo.name}"}

    async def runtime(self, request: Request) -> Any:
        repo = self.of(request)
        return {"stage": repo.stage, "hardware": {"current": "cpu-basic", "requested": "cpu-basic"}, "sha": repo.running,
                "errorMessage": repo.error}

    async def preupload(self, request: Request) -> Any:
        there = self.of(request).head.files
        return {"files": [{"path": file["path"], "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                           "shouldIgnore": False, "oid": None if file["path"] not in there else entry_of(
                               file["path"], there[file["path"]]).get("lfs", {}).get("oid") or git_hash(there[file["path"]])}
                          for file in (await request.json())["files"]]}

    async def batch(self, request: Request) -> Any:
        objects = (await request.json())["objects"]
        return {"transfer": "basic", "objects": [one if one["oid"] in self.stored else {
            **one, "actions": {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}}} for one in objects]}

    async def store(self, request: Request, digest: str) -> Any:
        content = await request.body()
        assert hashlib.sha256(content).hexdigest() == digest
        self.stored[digest] = content
        return {}

    async def commit(self, request: Request) -> Any:
        repo, header, changed = self.of(request), {}, []
        files = dict(repo.head.files)
        for line in (await request.body()).splitlines():
            change = json.loads(line)
            kind, value = change["key"], change["value"]
            if kind == "header":
                header = value
                continue
            changed.append(f"{kind} {value['path']}")
            if kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                files[value["path"]] = self.stored[value["oid"]]
            else:
                assert kind == "deletedFile"
                del files[value["path"]]
        if header.get("parentCommit") != repo.head.id:
            return JSONResponse({"error": "A commit has happened since. Please refresh and try again."}, 412)
        repo.add(header["summary"], files, tuple(changed))
        repo.stage = "RUNNING" if repo.process else "BUILDING"  # the Hub needs a moment to notice
        self.builds.append(threading.Thread(target=self.build, args=[repo]))
        self.builds[-1].start()
        return {"commitUrl": f"{self.url}/spaces/{repo.name}/commit/{repo.head.id}", "commitOid": repo.head.id}

    async def tree(self, request: Request, revision: str, cursor: int = 0) -> Any:
        files = self.of(request).at(revision).files
        listed = [entry_of(path, files[path]) for path in sorted(files)]
        more = f'<{self.url}{request.url.path}?recursive=true&cursor={cursor + PAGE}>; rel="next"'
        return JSONResponse(listed[cursor:cursor + PAGE], headers={"Link": more} if len(listed) > cursor + PAGE else {})

    async def paths(self, request: Request, revision: str) -> Any:
        asked = urllib.parse.parse_qs((await request.body()).decode())["paths"]
        files = self.of(request).at(revision).files
        return [entry_of(path, files[path]) for path in asked if path in files]

    async def resolve(self, request: Request, revision: str, path: str) -> Any:
        return Response(self.of(request).at(revision).files[path])

    async def history(self, request: Request) -> Any:
        return [{"id": commit.id, "authors": [{"user": "a"}], "date": "2026-01-01T00:00:00.000Z", "title": commit.title,
                 "message": ""} for commit in reversed(self.of(request).commits)]

    async def refs(self, request: Request) -> Any:
        repo = self.of(request)
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit} for tag, commit in repo.tags.items()]
        branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.id}
        return {"branches": [branch], "converts": [], "tags": tags}

    async def tag(self, request: Request, revision: str) -> Any:
        repo, tag = self.of(request), (await request.json())["tag"]
        if tag in repo.tags:
            return JSONResponse({"error": "Reference already exists"}, 409)
        repo.tags[tag] = repo.at(revision).id
        return {}

    async def id_token(self, request: Request, audience: str) -> Any:
        """GitHub's part of a trusted publisher: the runner mints a token that says which workflow it is."""
        if request.headers.get("authorization", "").split()[-1] != REQUEST_TOKEN or audience != self.url:
            raise HTTPException(403)
        return {"value": ID_TOKEN}

    async def exchange(self, request: Request) -> Any:
        """The Hub's part: that token against one for the Space."""
        asked = await request.json()
        if asked["subject_token"] != ID_TOKEN or asked["resource"].removeprefix("spaces/") not in self.repos:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.tokens["hf_jwt"] = "write"
        return {"access_token": "hf_jwt", "token_type": "bearer", "expires_in": 3600}

    async def live(self, request: Request, path: str) -> Any:
        repo, token = self.of(request), request.headers.get("authorization", "").removeprefix("Bearer ")
        self.shown.add(token)
        if repo.private and token not in self.tokens:
            return Response("<html>Sign in</html>", 404)
        headers = {name: value for name, value in request.headers.items() if name in ("content-type", "accept", "x-api-key")}
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.request(request.method, f"http://127.0.0.1:{repo.port}/{path}", content=await request.body(),
                                          headers=headers)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
