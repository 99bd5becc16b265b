"""Where a request's secrets go when an answer sends it elsewhere."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from automation.support import environment, http_client


class Redirecting(BaseHTTPRequestHandler):
    """Redirects /to?ADDRESS there; tells elsewhere which secrets came."""

    def do_GET(self) -> None:
        path, _, address = self.path.partition("?")
        self.send_response(302 if path == "/to" else 200)
        if path == "/to":
            self.send_header("Location", address)
        self.end_headers()
        self.wfile.write(f"{self.headers['Authorization']} {self.headers['X-API-Key']} {self.headers['Accept']}".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask(url: str, redirects: bool = True) -> str:
    request = urllib.request.Request(url, headers={"Authorization": "Bearer a", "X-API-Key": "b", "Accept": "c"})
    with http_client.open_url(request, 10, redirects) as answer:
        return str(answer.read().decode())


def test_secrets_stay_with_their_host(server: str) -> None:
    assert ask(server) == "Bearer a b c"
    assert ask(f"{server}/to?/here") == "Bearer a b c"
    elsewhere = server.replace("127.0.0.1", "localhost")
    assert ask(f"{server}/to?{elsewhere}/") == "None None c"
    assert ask(f"{server}/to?{elsewhere}/to?{server}/") == "None None c"


def test_no_redirect_is_followed_where_the_address_is_the_secret(server: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="302"):
        ask(f"{server}/to?/here", redirects=False)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "data:,text"])
def test_nothing_but_http_is_known(url: str) -> None:
    with pytest.raises(urllib.error.URLError, match="unknown url type"):
        ask(url)


@pytest.mark.parametrize(("url", "encrypted"), [
    ("https://host/path", True), ("http://127.0.0.1:80/", True), ("http://localhost", True), ("http://[::1]/", True),
    ("http://host/", False), ("http://127.0.0.1.host/", False), ("http://host@localhost.host", False), ("file:///path", False),
    ("https://", False), ("https://[", False), ("", False)])
def test_secrets_are_sent_encrypted_or_not_at_all(url: str, encrypted: bool) -> None:
    assert environment.is_encrypted(url) == encrypted
