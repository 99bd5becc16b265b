"""The cost of the largest hostile bodies, and the wait of /health meanwhile: python -m bench.serving.bodies [WORKING TREE].

Needs a working tree with a model, this one by default, and Linux (/proc). Prints a table, and fails where a body is answered with
a 5xx other than 503, takes more than a second or 300 MB, or delays the slowest hundredth of /health by more than 100 ms.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.serving.hostile import SIZES, kinds

ROOT = Path(__file__).absolute().parents[2]
SECONDS, MEGABYTES, HEALTH_MS = 1.0, 300.0, 100.0
ROUNDS = 3  # requests of a kind, one after another
ATTEMPTS = 3  # before a kind counts as beyond the limits: what else runs on the machine only adds to the figures
AT_ONCE = 8


@dataclass(frozen=True)
class Cost:
    """Of one kind of body: the statuses of its answers, the slowest one's seconds, MB more at most, and p99 of /health in ms."""

    statuses: list[int]
    seconds: float
    megabytes: float
    health: float

    def within(self) -> bool:
        return (not [status for status in self.statuses if status >= 500 and status != 503]
                and self.seconds <= SECONDS and self.megabytes <= MEGABYTES and self.health <= HEALTH_MS)


@dataclass(frozen=True)
class Running:
    """The API in a process of its own."""

    pid: int
    port: int
    key: str = ""

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and content, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            headers = {"content-type": "application/json", "x-api-key": self.key}
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def memory(self, name: str) -> float:
        """MB: VmRSS now, VmHWM at most since `forget`."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) / 1024

    def forget(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def serving(tree: Path, key: str = "") -> Iterator[Running]:
    """The API on a free port, ready."""
    with tempfile.TemporaryDirectory() as state, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        env = os.environ | {"PYTHONPATH": str(ROOT), "API_KEY": key, "POLL_SECONDS": "0", "STATE_DIR": state, "PORT": str(port),
                            "HOST": "127.0.0.1", "WORKERS": "1"}
        env.pop("PROMETHEUS_MULTIPROC_DIR", None)
        process = subprocess.Popen([sys.executable, "-m", "api"], cwd=tree, env=env, start_new_session=True,
                                   stderr=subprocess.DEVNULL)
        try:
            running = Running(process.pid, port, key)
            until_ready(running, process)
            yield running
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def until_ready(running: Running, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            if running.ask("/ready")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the API did not get ready")


@contextmanager
def watched(running: Running) -> Iterator[list[float]]:
    """Milliseconds of one /health after another, meanwhile."""
    over, taken = threading.Event(), list[float]()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)
        while True:
            start = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            taken.append(1e3 * (time.perf_counter() - start))
            if over.wait(0.002):
                break
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def cost(running: Running, path: str, body: bytes, at_once: int = 1, rounds: int = ROUNDS) -> Cost:
    """What a body costs that is sent `rounds` times by each of `at_once` clients."""
    running.forget()
    before = running.memory("VmRSS")
    statuses: list[int] = []

    def client(_: int) -> float:
        slowest = 0.0
        for _ in range(rounds):
            start = time.perf_counter()
            try:
                statuses.append(running.ask(path, body)[0])
            except ConnectionError:
                statuses.append(413)  # refused before all was sent
            slowest = max(slowest, time.perf_counter() - start)
        return slowest

    with watched(running) as health, ThreadPoolExecutor(at_once) as clients:
        slowest = max(clients.map(client, range(at_once)))
    p99 = sorted(health)[max(int(0.99 * len(health)) - 1, 0)]
    return Cost(sorted(set(statuses)), slowest, running.memory("VmHWM") - before, p99)


def best(running: Running, path: str, body: bytes, at_once: int) -> Cost:
    """The first cost within the limits, or the last of all attempts."""
    for _ in range(ATTEMPTS):
        spent = cost(running, path, body, at_once)
        if spent.within():
            break
    return spent


def paths(running: Running) -> dict[str, str]:
    """The routes that take a body, of a series that there is."""
    first = json.loads(running.ask("/series")[1])["stores"][0]
    series = urlencode({"store": first["store"], "item": first["items"][0]})
    return {"batch": "/predict/batch", "query": "/predict", "series": f"/forecast?{series}", "orders": "/orders"}


def main() -> None:
    tree = Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute()
    failed = []
    print("| body | MB | status | seconds | MB more | /health p99 ms |\n| --- | --- | --- | --- | --- | --- |")
    with serving(tree) as running:
        path = paths(running)
        for route, size in SIZES.items():
            for name, make in kinds(route).items():
                for at_once in (1, AT_ONCE):
                    body = make(size)
                    spent = best(running, path[route], body, at_once)
                    title = f"`{path[route]}` {name}" + (f", {at_once} at once" if at_once > 1 else "")
                    print(f"| {title} | {len(body) / 1e6:.2f} | {', '.join(map(str, spent.statuses))} | {spent.seconds:.2f} | "
                          f"{spent.megabytes:.0f} | {spent.health:.0f} |", flush=True)
                    failed += [] if spent.within() else [title]
    if failed:
        sys.exit(f"error: beyond {SECONDS:.0f} s, {MEGABYTES:.0f} MB or {HEALTH_MS:.0f} ms: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
