"""How fast the API answers beside a FastAPI that does nothing, in one run: python -m bench.serving [WORKING TREE].

Needs wrk (Debian: apt install wrk) and a working tree with a model, this one by default. Prints a table and writes it to
bench/serving.md; of the times only the ratios mean something elsewhere.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.serving.large import SERIES, plant
from bench.serving.server import CONNECTIONS, KEY, call, load, server, times

RESULTS = Path(__file__).absolute().parent.with_suffix(".md")
ROUNDS = 3
BATCH = 45_000
NOOP, API = "uvicorn bench.serving.noop:app --no-access-log", "api"
TARGETS = {
    "from start to ready": "3 s",
    f"a batch of {BATCH:,} rows by columns, validated": "60 ms",
    f"a batch of {BATCH:,} rows by rows, validated": "60 ms",
    "a what-if forecast": "5 ms",
    "`/predict`, metrics on": "0.85 of the requests/s, 1.5 of the p99 of doing nothing",
    "the same with an API key": "the same",
    "`/predict`, two workers": "1.6 of one",
    "p99 while models are reloaded without a pause": "+5 ms",
    "`/total` of any 500 series": "5 ms",
    f"`/total` of {SERIES:,} series": "50 ms",
    f"`/orders` for {SERIES:,} series": "300 ms",
    "memory": "300 MB",
}  # on two idle cores that do nothing 7,600 times a second; what makes the code longer for speed stays only where one needs it
ABOUT = """Written by `make bench-serving` on {} cores, Python {}; the load generator (wrk, {} connections) is on the same cores.
Load average before: {:.2f}. Rates and p99 are medians of {} rounds that take turns; all times are through HTTP."""


def reloading(tree: Path, over: threading.Event, done: list[float]) -> None:
    """Bring a model that counts as new again and again: computed and swapped each time."""
    while not over.is_set():
        os.utime(tree / "models/model.pkl")
        done += times(partial(call, "/model/reload", b""), 1)


def forecast_path(store: dict[str, Any]) -> str:
    """Of the first item of a store."""
    return "/forecast?" + urlencode({"store": store["store"], "item": store["items"][0]})


def asked() -> tuple[dict[str, Any], bytes, bytes]:
    """A query that the running server can answer, and a batch by columns and by rows."""
    series = json.loads(call("/series"))
    first = json.loads(call(forecast_path(series["stores"][0])))
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


def sums(stores: list[Any], items: list[Any]) -> Iterator[tuple[str, str]]:
    """Of a large set, over the whole horizon: the slowest group and step of those that are tried, medians."""
    def median(path: str, body: Any = None) -> float:
        return statistics.median(times(partial(call, path, body), 22)[2:])

    some = [{"store": stores[:500 // len(items)]}, {"item": items[0], "store": stores[:500]}]
    for name, groups in (("any 500 series", some), (f"{SERIES:,} series", [{}])):
        taken = {(step or "one sum"): max(median("/total?" + urlencode(group | step_of(step), doseq=True)) for group in groups)
                 for step in ("", "day", "week", "month")}
        yield f"`/total` of {name}", ", ".join(f"{step} {each:.1f} ms" for step, each in taken.items())
    terms = {"lead_time": 10, "review_period": 7, "service_level": 0.95}
    keys = [(store, item) for store in stores for item in items]
    lists = {"store": [store for store, _ in keys], "item": [item for _, item in keys],
             "on_hand": [k % 90 for k in range(SERIES)], "pack_size": [1 + k % 12 for k in range(SERIES)],
             "service_level": [0.9 + k % 10 / 100 for k in range(SERIES)]}
    taken = {name: median("/orders" + query, json.dumps(terms | body).encode())
             for name, query, body in (("all", "", {}), ("by columns", "", lists), ("as CSV", "?format=csv", lists))}
    yield f"`/orders` for {SERIES:,} series", ", ".join(f"{name} {each:.0f} ms" for name, each in taken.items())


def step_of(step: str) -> dict[str, str]:
    return {"step": step} if step else {}


def memory(folder: Path) -> Iterator[tuple[str, str]]:
    """Of a large set: after start, and after all of it was asked for, sums and orders as well."""
    tree = folder / "large"
    plant(tree)
    with server(API, tree) as running:
        before = running.resident()
        series = json.loads(call("/series"))["stores"]
        days = json.loads(call(forecast_path(series[0])))["date"]
        rows = 0
        for each in series:
            keys = [(each["store"], item, day) for item in each["items"] for day in days]
            store, item, day = zip(*keys, strict=True)
            rows += len(json.loads(call("/predict/batch", {"store": store, "item": item, "date": day}))["predicted_sales"])
        yield from sums([each["store"] for each in series], series[0]["items"])
        yield f"{SERIES:,} series × {len(days)} days: memory", (
            f"{before:.0f} MB when ready ({running.ready:.0f} s), {running.resident():.0f} MB after all {rows:,} were asked for")


def working_copy(source: Path, tree: Path) -> Path:
    """The candidate of a working tree, in a tree that may be changed."""
    for name in ("models/model.pkl", "metrics/train.json", "data/processed/feature_data.parquet"):
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
    lines = ["# Serving", "", about, "", "| what | target | how it came out |", "| --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = working_copy(Path(sys.argv[1] if len(sys.argv) > 1 else ".").absolute(), folder / "tree")
        for measured in (alone(tree), under_load(tree, folder), memory(folder)):
            for what, how in measured:
                print(f"{what:50}{how}", flush=True)
                target = next((target for name, target in TARGETS.items() if what == name or what.endswith(name)), "")
                lines.append(f"| {what} | {target} | {how} |")
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
