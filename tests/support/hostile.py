"""A server that does its worst with the secrets it is sent, and what finds a secret in any text."""

from __future__ import annotations

import base64
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CORE = "cAnArY7f3a9eQ"  # part of every secret of these tests: no encoding but Base64 changes it
FORMS = {"plain": CORE, "line break": f"{CORE}\n", "odd": f"%2F{CORE}@\"a'%", "broken": f"{CORE}\nsecond"}
MODES = ("echo", "denied", "redirect", "reason", "garbage", "json")  # and "ready", of an API that serves another model


def holds_secret(text: str | bytes) -> bool:
    """Whether CORE is there: as it is, percent-encoded or in Base64."""
    data = text if isinstance(text, bytes) else text.encode()
    needles = [CORE.encode(), "".join(f"%{ord(one):02x}" for one in CORE).encode()]
    for before in range(3):
        whole = base64.b64encode(bytes(before) + CORE.encode())
        needles.append(whole[-(-before * 4 // 3) : (before + len(CORE)) // 3 * 4])
    return any(needle in form for needle in needles for form in (data, urllib.parse.unquote_to_bytes(data)))


class Hostile:
    """Answers whatever it is asked with what it was sent: in a body, a status line or no HTTP at all, or sends it elsewhere.

    Attributes:
        received: all bytes that came.
        other: the address that a redirect names: another host.
    """

    def __init__(self, mode: str, other: str) -> None:
        self.mode, self.other, self.received = mode, other, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=[connection], daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # or the thread that waits there would go on
        self.socket.close()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                request = self.read(connection)
                self.received += request
                if request:
                    connection.sendall(self.reply(request))
            except OSError:
                pass

    def read(self, connection: socket.socket) -> bytes:
        """One request."""
        request = b""
        while b"\r\n\r\n" not in request and (part := connection.recv(65536)):
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length and (part := connection.recv(65536)):
            body += part
        return head + b"\r\n\r\n" + body

    def reply(self, request: bytes) -> bytes:
        told = b" ".join(request.split())[:3000]
        path = request.split(b" ", 2)[1] if request.count(b" ") > 1 else b"/"
        status, extra, body = {
            "echo": (b"500 Internal Server Error", b"", told),
            "denied": (b"401 Unauthorized", b"WWW-Authenticate: Basic realm=\"" + told.replace(b'"', b"'") + b'"\r\n', told),
            "redirect": (b"302 Found", b"Location: " + self.other.encode() + path + b"\r\n", b""),
            "reason": (b"500 " + told, b"", told),
            "garbage": (b"", b"", told),
            "ready": (b"200 OK", b"", b'{"status": "ready", "model_version": "of before"}'),
            "json": (b"403 Forbidden", b"Content-Type: application/json\r\n",
                     b'{"error": "%b", "message": "%b", "detail": "%b", "last_reload": {"message": "%b"}}' % (
                         (told.replace(b"\\", b"\\\\").replace(b'"', b'\\"'),) * 4)),
        }[self.mode]
        if self.mode == "garbage":
            return told + b"\r\n\r\n"
        return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, extra, len(body), body)


@contextmanager
def hostile(mode: str) -> Iterator[tuple[Hostile, Hostile]]:
    """The server, and another host to which it may redirect."""
    other = Hostile("echo", "")
    server = Hostile(mode, other.url.replace("127.0.0.1", "localhost"))
    try:
        yield server, other
    finally:
        server.close()
        other.close()
