"""A server under test, and what asks it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).absolute().parents[2]
PORT, KEY = 8377, "bench"
CONNECTIONS, SECONDS = 8, 4


@dataclass(frozen=True)
class Server:
    """A running server: the seconds from its start until it was ready, and its process id."""

    ready: float
    pid: int

    def resident(self) -> float:
        """MB, the pages of files that it maps included."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def call(path: str, body: Any = None) -> bytes:
    """What a request answers, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, data, {"content-type": "application/json", "x-api-key": KEY})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise ConnectionError(f"{path}: {answer.status} {content[:200]!r}")
    return content


@contextmanager
def server(app: str, tree: Path, workers: int = 1, key: str = "") -> Iterator[Server]:
    """A server that is ready."""
    with tempfile.TemporaryDirectory() as state:
        env = os.environ | {"PYTHONPATH": str(ROOT), "API_KEY": key, "POLL_SECONDS": "0", "STATE_DIR": state,
                            "PORT": str(PORT), "WORKERS": str(workers), "UVICORN_PORT": str(PORT),
                            "UVICORN_WORKERS": str(workers)}
        command = [sys.executable, "-m", *app.split()]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=tree, env=env, start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    call("/ready")
                    break
                except OSError:
                    if time.perf_counter() - start > 300:
                        raise
                    time.sleep(0.02)
            ready = time.perf_counter() - start
            time.sleep(1.5 if workers > 1 else 0.2)
            yield Server(ready, process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def load(query: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Requests per second and p99 in ms of POST /predict."""
    script = folder / "post.lua"
    script.write_text(f"wrk.method='POST'; wrk.headers['content-type']='application/json'; wrk.headers['x-api-key']='{KEY}'; "
                      f"wrk.body='{json.dumps(query)}'")
    url = f"http://127.0.0.1:{PORT}/predict"
    said = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", "-s", str(script), url],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(said)
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found
    assert rate
    return float(rate[1]), float(found[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[found[2]]


def times(work: Callable[[], Any], n: int) -> list[float]:
    """Milliseconds of n runs."""
    taken = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        taken.append(1e3 * (time.perf_counter() - start))
    return taken
