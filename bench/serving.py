"""How fast the API answers beside a FastAPI that does nothing, in one run: python -m bench.serving [WORKING TREE].

Needs wrk (Debian: apt install wrk) and a working tree with a model, this one by default. Prints a table and puts it into
bench/results.md; of the times only the ratios mean something elsewhere.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.large import SERIES, plant

ROOT = Path(__file__).absolute().parent.parent
RESULTS = ROOT / "bench/results.md"
TITLE = "## Serving"
PORT, KEY = 8377, "bench"
CONNECTIONS, SECONDS, ROUNDS = 8, 4, 3
BATCH = 45_000
NOOP, API = "bench.noop:app", "api.app:app"
ABOUT = """Written by `make bench-serving` on {} cores, Python {}, the load generator (wrk, {} connections) on the same cores; load
average before it: {:.2f}. Rates and p99 are medians of {} rounds that take turns; all times are through HTTP."""


@dataclass(frozen=True)
class Server:
    """A running server: the seconds from its start until it was ready, and its process."""

    ready: float
    process: psutil.Process

    def resident(self) -> float:
        """MB of the process and its workers; pages of files that they map count once for each."""
        return sum(one.memory_info().rss for one in [self.process, *self.process.children(recursive=True)]) / 1e6


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
        env = os.environ | {"PYTHONPATH": str(ROOT), "API_KEY": key, "POLL_SECONDS": "0", "STATE_DIR": state}
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(PORT), "--workers", str(workers), "--no-access-log",
                   "--log-level", "error"]
        start = time.perf_counter()
        process = psutil.Popen(command, cwd=tree, env=env, start_new_session=True)
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
            yield Server(ready, process)
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


def reloading(tree: Path, over: threading.Event, done: list[float]) -> None:
    """Bring a model that counts as new again and again: computed and swapped each time."""
    while not over.is_set():
        os.utime(tree / "models/model.pkl")
        done += times(partial(call, "/model/reload", b""), 1)


def asked() -> tuple[dict[str, Any], bytes, bytes]:
    """A query that the running server can answer, and a batch by columns and by rows."""
    series = json.loads(call("/series"))
    first = json.loads(call(f"/forecast/{series['stores'][0]['store']}/{series['stores'][0]['items'][0]}"))
    query = {name: first[name] for name in ("store", "item")} | {"date": first["date"][0]}
    keys = [(each["store"], item, day) for each in series["stores"] for item in each["items"] for day in first["date"]]
    store, item, day = zip(*(keys * (BATCH // len(keys) + 1))[:BATCH], strict=True)
    rows = [{"store": s, "item": i, "date": d} for s, i, d in zip(store, item, day, strict=True)]
    return query, json.dumps({"store": store, "item": item, "date": day}).encode(), json.dumps(rows).encode()


def alone(tree: Path) -> Iterator[tuple[str, str]]:
    """One request at a time."""
    starts = []
    for _ in range(ROUNDS):
        with server(API, tree) as running:
            starts.append(running.ready)
            query, columns, rows = asked()
            if len(starts) == ROUNDS:
                yield "from start to ready", f"{statistics.median(starts):.2f} s"
                for name, body in (("by columns", columns), ("by rows", rows)):
                    taken = times(partial(call, "/predict/batch", body), 22)[2:]
                    yield f"a batch of {BATCH:,} rows {name}, validated", f"{statistics.median(taken):.0f} ms"
                taken = sorted(times(partial(call, "/predict", query | {"recent_sales": [5, 6, 7.5] * 9}), 120)[20:])
                yield "a what-if forecast", f"{statistics.median(taken):.1f} ms, p95 {taken[95]:.1f} ms"


def under_load(tree: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Requests per second."""
    with server(API, tree):
        query = asked()[0]
    kinds = {"noop": (NOOP, 1, ""), "one": (API, 1, ""), "key": (API, 1, KEY), "noop two": (NOOP, 2, ""), "two": (API, 2, "")}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (app, workers, key) in kinds.items():
            with server(app, tree, workers, key):
                runs[name].append(load(query, folder))
    rate, p99 = ({name: statistics.median(run[k] for run in each) for name, each in runs.items()} for k in (0, 1))

    def beside(name: str, other: str) -> str:
        return (f"{rate[name]:,.0f} requests/s, {rate[name] / rate[other]:.2f} of it; p99 {p99[name]:.1f} ms, "
                f"{p99[name] / p99[other]:.2f} of it")

    yield "a FastAPI that does nothing", f"{rate['noop']:,.0f} requests/s; p99 {p99['noop']:.1f} ms"
    yield "`/predict`, metrics on", beside("one", "noop")
    yield "the same with an API key", beside("key", "noop")
    yield "two workers that do nothing", f"{rate['noop two'] / rate['noop']:.2f} of one; p99 {p99['noop two']:.1f} ms"
    yield "`/predict`, two workers", f"{rate['two'] / rate['one']:.2f} of one; {beside('two', 'noop two')}"
    with server(API, tree, key=KEY):
        still = [load(query, folder)[1] for _ in range(ROUNDS)]
        over, done = threading.Event(), list[float]()
        thread = threading.Thread(target=reloading, args=(tree, over, done))
        thread.start()
        moving = [load(query, folder)[1] for _ in range(ROUNDS)]
        over.set()
        thread.join()
    yield "p99 while models are reloaded without a pause", (
        f"{statistics.median(moving):.1f} ms, {statistics.median(moving) - statistics.median(still):+.1f} ms; "
        f"a reload takes {statistics.median(done) / 1e3:.1f} s")


def memory(folder: Path) -> Iterator[tuple[str, str]]:
    """Of a large set: after start, and after all of it was asked for."""
    tree = folder / "large"
    plant(tree)
    with server(API, tree) as running:
        before = running.resident()
        series = json.loads(call("/series"))["stores"]
        days = json.loads(call(f"/forecast/{series[0]['store']}/{series[0]['items'][0]}"))["date"]
        rows = 0
        for each in series:
            keys = [(each["store"], item, day) for item in each["items"] for day in days]
            store, item, day = zip(*keys, strict=True)
            rows += len(json.loads(call("/predict/batch", {"store": store, "item": item, "date": day}))["predicted_sales"])
        yield f"{SERIES:,} series × {len(days)} days: memory", (
            f"{before:.0f} MB when ready ({running.ready:.0f} s), {running.resident():.0f} MB after all {rows:,} were asked for")


def working_copy(source: Path, tree: Path) -> Path:
    """The candidate of a working tree, in a tree that may be changed."""
    for name in ("models/model.pkl", "data/processed/feature_data.parquet"):
        if not (source / name).exists():
            sys.exit(f"error: {source / name} is missing: run make repro first")
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, tree / name)
    (tree / "models/champion.json").write_text('{"version": null}\n')
    return tree


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is needed (Debian, Ubuntu: apt install wrk)")
    about = ABOUT.format(os.cpu_count(), platform.python_version(), CONNECTIONS, os.getloadavg()[0], ROUNDS)
    lines = [TITLE, "", about, "", "| what | how it came out |", "| --- | --- |"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = working_copy(Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute(), folder / "tree")
        for found in (alone(tree), under_load(tree, folder), memory(folder)):
            for what, how in found:
                print(f"{what:50}{how}", flush=True)
                lines.append(f"| {what} | {how} |")
    before = RESULTS.read_text().partition(f"{TITLE}\n")[0].rstrip()
    RESULTS.write_text("\n".join([before, "", *lines]) + "\n")


if __name__ == "__main__":
    main()
