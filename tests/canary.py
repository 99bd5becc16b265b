"""Canary secrets, servers that do their worst with them, and what finds them in any encoding: without the code under test."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PARTS = ("quokka71", "wombat82")  # of every canary: no encoding of text changes them, so that signs between them do not matter
CANARIES = {"plain": "quokka71wombat82", "newline": "quokka71wombat82\n", "signs": "quokka71%@'\"wombat82"}
MODES = ("unreachable", "401", "500", "redirect", "exception")
NOWHERE = "http://127.0.0.1:9"


def traces(content: bytes) -> list[str]:
    """The parts of a canary in some bytes: as they are, in Base64, in hexadecimal, in UTF-16."""
    lower = content.lower()
    return [part for part in PARTS if any(form.lower() in lower for form in forms(part.encode()))]


def forms(part: bytes) -> Iterator[bytes]:
    yield from (part, part.hex().encode(), part.decode().encode("utf-16-le"))
    for before in range(3):
        whole = base64.b64encode(bytes(before) + part + bytes(3))
        yield whole[4 * (before > 0):4 * ((before + len(part)) // 3)]  # the groups that hold nothing else


def traces_in(place: Path, leave_out: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Per file below a directory, and in all objects of Git, the parts that are there."""
    found = {str(path.relative_to(place)): traces(path.read_bytes()) for path in place.rglob("*") if path.is_file()}
    for git in {path.parent for path in place.rglob("HEAD") if (path.parent / "objects").is_dir()}:
        command = ["git", "cat-file", "--batch", "--batch-all-objects"]
        found[f"objects of {git}"] = traces(subprocess.run(command, cwd=git, capture_output=True, check=True).stdout)
    return {name: parts for name, parts in found.items() if parts and not name.endswith(leave_out or ("\0",))}


class Hostile(ThreadingHTTPServer):
    """Answers every request in one of MODES: echoes it with a refusal or in no HTTP at all, or sends it on to `elsewhere`."""

    daemon_threads = True

    def __init__(self, mode: str, elsewhere: str) -> None:
        self.mode, self.elsewhere = mode, elsewhere
        self.received: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return NOWHERE if self.mode == "unreachable" else f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hostile

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        heard = f"{self.requestline}\n{self.headers}".encode("latin-1", "replace") + body
        self.server.received.append(heard)
        echo = " ".join(heard.decode("latin-1").split())
        if self.server.mode == "exception":
            self.wfile.write(f"ECHO {echo}\r\n\r\n".encode("latin-1"))
            self.close_connection = True
            return
        answers = {"401": (401, echo), "500": (500, echo), "redirect": (307, "elsewhere"), "well": (200, "OK")}
        status, reason = answers[self.server.mode]
        content = json.dumps({"message": echo, "error": echo, "detail": echo} if status >= 400 else {}).encode()
        self.send_response(status, reason)
        if self.server.mode == "redirect":
            self.send_header("Location", self.server.elsewhere + self.path.replace(PARTS[0], "").replace(PARTS[1], ""))
        for name, value in (("Content-Type", "application/json"), ("Content-Length", len(content)), ("X-Error-Message", echo)):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hostile(mode: str) -> Iterator[tuple[Hostile, Hostile]]:
    """A server in that mode, and the other host that it may redirect to."""
    with ExitStack() as stack:
        servers: list[Hostile] = []
        for kind in ("well", mode):
            server = stack.enter_context(Hostile(kind, servers[0].url.replace("127.0.0.1", "localhost") if servers else ""))
            thread = threading.Thread(target=server.serve_forever, args=[0.02])
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            servers.append(server)
        yield servers[1], servers[0]
