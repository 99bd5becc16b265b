"""An HTTP server in a thread that answers in JSON, for stand-ins of GitHub's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.served import served


class JsonHandler(BaseHTTPRequestHandler):
    """Reads and writes JSON, and logs nothing. A subclass holds its state in attributes of its class."""

    @classmethod
    @contextmanager
    def listening(cls, **state: Any) -> Iterator[str]:
        """The address of a server with this state."""
        with served(type("Here", (cls,), state)) as url:
            yield url

    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return content

    def answer(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass
