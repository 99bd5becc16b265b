"""Slow and hostile connections, over real sockets: none is held open, and none costs memory."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from api import connections, limits
from api.app import create_app
from api.connections import HEAD_BYTES, LimitedHttp
from tests.api.conftest import settings
from tests.support.ports import free_port

SECONDS = 0.5
BODY = b'{"store": 1, "item": 1, "date": "2024-02-25"}'
HEAD = b"POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def port(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a server in this process, with short times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "HEAD_SECONDS", SECONDS)
        patch.setattr(limits, "READ_SECONDS", SECONDS)
        app = create_app(settings(template, tmp_path_factory.mktemp("connections")))
        config = uvicorn.Config(app, port=free_port(), http=LimitedHttp, ws="none", access_log=False, limit_concurrency=150)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        for _ in range(300):
            if server.started and httpx.get(f"http://127.0.0.1:{config.port}/ready").status_code == 200:
                break
            time.sleep(0.1)
        yield config.port
        server.should_exit = True
        thread.join(20)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def trickle(connection: socket.socket, piece: bytes, most: float = 20 * SECONDS) -> tuple[bytes, float]:
    """Send the piece again and again until the server closes the connection: what it answered, and the seconds that took."""
    start, answer = time.monotonic(), b""
    while time.monotonic() - start < most:
        try:
            if piece:
                connection.sendall(piece)
            if select.select([connection], [], [], SECONDS / 10)[0]:
                content = connection.recv(65_536)
                answer += content
                if not content:
                    return answer, time.monotonic() - start
        except OSError:
            return answer, time.monotonic() - start
    raise AssertionError(f"still open after {most} s, answered {answer[:100]!r}")


@pytest.mark.parametrize(("sent", "piece", "answer"), [
    (b"", b"", b""),  # nothing ever
    (b"GET /health HTTP/1.1\r\nhost: a\r\n", b"", b""),  # a head that stops
    (b"GET /health HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n", b""),  # a head that goes on slowly
    (b"", b"\r\n", b""),  # line breaks before a request
    (HEAD % 1000, b" ", b"HTTP/1.1 408"),  # a body that goes on slowly
    (HEAD % 1000, b"", b"HTTP/1.1 408"),  # a body that stops
    (HEAD % 200_000, b" ", b"HTTP/1.1 413"),  # what is left of a body that was refused
    (HEAD % len(BODY) + BODY, b"\r\n", b"HTTP/1.1 200"),  # line breaks after a request
])
def test_a_slow_connection_is_closed(port: int, sent: bytes, piece: bytes, answer: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(sent)
        received, seconds = trickle(connection, piece)
    assert received.startswith(answer)
    assert bool(received) == bool(answer)
    assert seconds < 14 * SECONDS  # those that send nothing after an answer are closed after uvicorn's 5 s


def test_eighty_slow_connections_are_gone_in_time_and_hold_nobody_up(port: int) -> None:
    slow = [connect(port) for _ in range(80)]
    for connection in slow:
        connection.sendall(b"POST /predict HTTP/1.1\r\nhost: a\r\n")
    assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    end = time.monotonic() + 20 * SECONDS
    for connection in slow:
        connection.settimeout(max(end - time.monotonic(), 0.1))
        try:
            assert connection.recv(1) == b""
        except ConnectionError:
            pass
        connection.close()


def test_a_head_of_20_megabytes_is_refused(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: a\r\n")
        sent = 0
        try:
            while sent < 20_000_000:
                connection.sendall(b"x-long: " + b"a" * 8_000 + b"\r\n")
                sent += 8_010
        except OSError:
            pass
        assert sent < 20_000_000


def test_a_head_that_is_too_large_gets_431_and_one_below_is_answered(port: int) -> None:
    for size, status in ((HEAD_BYTES - 1000, b"200"), (2 * HEAD_BYTES, b"431")):
        with connect(port) as connection:
            for piece in (b"GET /health HTTP/1.1\r\nhost: a\r\nx: ", b"a" * size):
                connection.sendall(piece)
                time.sleep(0.05)  # in a read of its own
            if status == b"200":
                connection.sendall(b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 " + status)


def test_more_connections_than_allowed_get_503(port: int) -> None:
    held = [connect(port) for _ in range(151)]
    try:
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 503
    finally:
        for connection in held:
            connection.close()
    wait(lambda: httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200)


def test_a_request_in_pieces_and_many_on_one_connection_are_answered(port: int) -> None:
    with connect(port) as connection:
        for _ in range(3):
            for piece in (HEAD[:30], HEAD[30:] % len(BODY), BODY[:10], BODY[10:]):
                connection.sendall(piece)
                time.sleep(SECONDS / 10)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            time.sleep(2 * SECONDS)  # an idle connection has longer
        connection.sendall(2 * (HEAD % len(BODY) + BODY))
        answer = b""
        while answer.count(b"predicted_sales") < 2:
            answer += connection.recv(65_536)


def test_a_client_that_goes_away_is_no_server_error(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(HEAD % 1000 + b"{")
    wait(lambda: 'route="/predict",status="408"' in httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    assert 'status="500"' not in httpx.get(f"http://127.0.0.1:{port}/metrics").text


def wait(done: Callable[[], bool]) -> None:
    for _ in range(100):
        if done():
            return
        time.sleep(0.1)
    raise TimeoutError
