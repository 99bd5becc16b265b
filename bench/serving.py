"""How fast the API answers beside a FastAPI that does nothing, in one run: python -m bench.serving [WORKING TREE].

Needs wrk (Debian: apt install wrk) and a working tree with a model, this one by default. Prints a table, of which only the
ratios mean something elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).absolute().parent.parent
PORT, KEY = 8377, "bench"
URL = f"http://127.0.0.1:{PORT}"
CONNECTIONS, SECONDS, ROUNDS = 8, 4, 3
BATCH = 45_000


def call(path: str, body: Any = None) -> bytes:
    headers = {"content-type": "application/json", "x-api-key": KEY}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers), timeout=120) as response:
        return bytes(response.read())


@contextmanager
def server(app: str, tree: Path, workers: int = 1, key: str = "") -> Iterator[float]:
    """A running server; gives the seconds from its start until it was ready."""
    with tempfile.TemporaryDirectory() as state:
        env = os.environ | {"PYTHONPATH": str(ROOT), "API_KEY": key, "POLL_SECONDS": "0", "STATE_DIR": state}
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(PORT), "--workers", str(workers), "--no-access-log",
                   "--log-level", "error"]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=tree, env=env, start_new_session=True)
        try:
            while True:
                try:
                    call("/ready")
                    break
                except OSError:
                    if time.perf_counter() - start > 120:
                        raise
                    time.sleep(0.02)
            ready = time.perf_counter() - start
            time.sleep(1.5 if workers > 1 else 0.2)
            yield ready
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def load(query: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Requests per second and p99 in ms of POST /predict."""
    script = folder / "post.lua"
    script.write_text(f"wrk.method='POST'; wrk.headers['content-type']='application/json'; wrk.headers['x-api-key']='{KEY}'; "
                      f"wrk.body='{json.dumps(query)}'")
    said = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", "-s", str(script), f"{URL}/predict"],
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


def reloading(tree: Path, over: threading.Event) -> None:
    """Bring a model that counts as new again and again: computed and swapped each time."""
    while not over.is_set():
        os.utime(tree / "models/model.pkl")
        call("/model/reload", b"")


def measure(tree: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """What was measured, and how it came out."""
    rates: dict[str, list[tuple[float, float]]] = {"noop": [], "one": [], "two": []}
    with server("api.app:app", tree) as ready:
        yield "from start to ready", f"{ready:.2f} s"
        series = json.loads(call("/series"))
        first = json.loads(call(f"/forecast/{series['stores'][0]['store']}/{series['stores'][0]['items'][0]}"))
        query = {name: first[name] for name in ("store", "item")} | {"date": first["date"][0]}
        keys = [(each["store"], item, day) for each in series["stores"] for item in each["items"] for day in first["date"]]
        store, item, day = zip(*(keys * (BATCH // len(keys) + 1))[:BATCH], strict=True)
        columns = json.dumps({"store": store, "item": item, "date": day}).encode()
        rows = json.dumps([{"store": s, "item": i, "date": d} for s, i, d in zip(store, item, day, strict=True)]).encode()
        for name, body in (("by columns", columns), ("by rows", rows)):
            taken = times(partial(call, "/predict/batch", body), 12)[2:]
            yield f"{BATCH:,} rows {name}", f"{statistics.median(taken):.1f} ms"
        other = query | {"recent_sales": [5, 6, 7.5] * 9}
        taken = sorted(times(lambda: call("/predict", other), 120)[20:])
        yield "what-if forecast, through HTTP", f"{statistics.median(taken):.1f} ms, p95 {taken[95]:.1f} ms"
    for _ in range(ROUNDS):
        for name, app, workers in (("noop", "bench.noop:app", 1), ("one", "api.app:app", 1), ("two", "api.app:app", 2)):
            with server(app, tree, workers):
                rates[name].append(load(query, folder))
    rate, p99 = ({name: statistics.median(run[k] for run in runs) for name, runs in rates.items()} for k in (0, 1))
    yield "FastAPI that does nothing", f"{rate['noop']:,.0f} requests/s, p99 {p99['noop']:.2f} ms"
    yield "/predict, metrics on", (f"{rate['one']:,.0f} requests/s = {rate['one'] / rate['noop']:.2f} of it, "
                                   f"p99 {p99['one']:.2f} ms = {p99['one'] / p99['noop']:.2f} of it")
    yield "/predict, two workers", f"{rate['two']:,.0f} requests/s = {rate['two'] / rate['one']:.2f} of one"
    with server("api.app:app", tree, key=KEY):
        still = [load(query, folder)[1] for _ in range(ROUNDS)]
        over = threading.Event()
        thread = threading.Thread(target=reloading, args=(tree, over))
        thread.start()
        moving = [load(query, folder)[1] for _ in range(ROUNDS)]
        over.set()
        thread.join()
        yield "p99 while models are reloaded without a pause", (f"{statistics.median(moving):.2f} ms, "
                                                                f"{statistics.median(moving) - statistics.median(still):+.2f} ms")


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("error: wrk is needed (Debian, Ubuntu: apt install wrk)")
    source = Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        for name in ("models", "data/processed/feature_data.parquet"):
            if not (source / name).exists():
                sys.exit(f"error: {source / name} is missing: run make repro first")
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (source / name).is_dir() else shutil.copy
            copy(source / name, tree / name)
        (tree / "models/champion.json").write_text('{"version": null}\n')
        for name, found in measure(tree, Path(folder)):
            print(f"{name:48}{found}", flush=True)


if __name__ == "__main__":
    main()
