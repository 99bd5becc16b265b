"""Watches champions that are never replaced, on data as it was and on data that drifts: python -m bench.drift [CASE ...]

Writes bench/drift/results.json, results.md and results.csv, and two pictures in docs/images/. What each figure is: report.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.cases import REAL
from bench.drift import peer, pictures, report, spoiled, sweep
from bench.drift.cases import CASES, available
from bench.drift.champion import FIRST, Watched, drifting, fitted, onsets
from bench.drift.injection import KINDS
from bench.drift.rates import delay, separate, weeks
from demand.drift.findings import drifted
from demand.drift.measures import REVIEW
from demand.drift.monitor import Watch

OUT, PICTURES = Path("bench/drift"), Path("docs/images")
REPLAYS = 16  # of a kind, for each champion
SLOW_REPLAYS = 3  # of the kinds that are followed for longer
SWEPT_REPLAYS = 8  # of the former, that are judged under other thresholds as well
SPOILED_REPLAYS = 3
PEER_CHECKS, PEER_REPLAYS = 16, 4  # of Evidently, half a second each
SEED = 1


def alarms(watch: Watch, days: range) -> list[bool]:
    """Whether drift is confirmed on each of the days since the training."""
    return [drifted(watch.findings_on(day)) for day in days]


def quiet(watched: Watched) -> dict[str, int]:
    """What is said while nothing is injected: daily judgements, weekly checks, and alarms that a new champion answers."""
    found = alarms(watched.watch, range(FIRST, watched.days + 1))
    told = weeks(found)
    return {"days": len(found), "alarm_days": sum(found), "checks": len(told), "alarms": sum(told),
            "separate": separate(found, REVIEW)}


def replayed(watched: Watched, kind: str, rng: np.random.Generator, count: int) -> tuple[list[int | None], list[list[bool]]]:
    """Days until each injected drift was told, and what each setting of the sweep says of the days on which a week ends."""
    follow, delays = KINDS[kind].follow, []
    swept: list[list[bool]] = []
    for onset in onsets(watched, kind, count, rng):
        watch = drifting(watched, kind, int(onset), rng)
        delays.append(delay(alarms(watch, range(onset, onset + follow))))
        if follow == REVIEW and len(swept) < SWEPT_REPLAYS:
            swept.append(sweep.any_day(watch, range(int(onset) + 6, int(onset) + follow, 7)))
    return delays, swept


def champion_results(watched: Watched, replays: int, rng: np.random.Generator) -> dict[str, Any]:
    """One champion: without drift, with each kind of it, and the sweep of the thresholds over both."""
    found: dict[str, Any] = {"quiet": quiet(watched), "delays": {}}
    swept: list[list[bool]] = []
    for kind in KINDS:
        count = replays if KINDS[kind].follow == REVIEW else min(replays, SLOW_REPLAYS)
        found["delays"][kind], one = replayed(watched, kind, rng, count)
        swept += one
    found["sweep"] = {**sweep.quiet(watched), "found": np.sum(swept, axis=0).tolist(), "replays": len(swept)}
    return found


def measured(name: str, replays: int, peers: bool) -> dict[str, Any]:
    """All champions of a case; of the first, what becomes of broken feeds, and Evidently beside it."""
    case = CASES[name]
    panel, settings = case.load()
    found: dict[str, Any] = {"title": case.title, "aim": case.aim, "champions": {}}
    for number, day in enumerate(case.trained):
        rng = np.random.default_rng(SEED + number)
        watched = fitted(panel, settings, np.datetime64(day))
        said(f"{name}: a champion trained through {day} is watched for {watched.days} days")
        found["champions"][day] = champion_results(watched, replays, rng)
        if number == 0:
            said(f"{name}: broken feeds")
            found["spoiled"] = spoiled.checked(watched, settings.prepare, SPOILED_REPLAYS, rng)
        if number == 0 and peers:
            said(f"{name}: Evidently")
            found["peer"] = peer.checked(watched, rng, PEER_CHECKS, PEER_REPLAYS)
    return found


def said(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.drift", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; default: all that there is data for")
    wanted = parser.parse_args().cases or available()
    if set(wanted) - set(CASES):
        parser.error(f"choose from {', '.join(CASES)}")
    if not REAL.exists():
        said(f"{REAL} is not there: leaving the competition's file out")
    began = time.perf_counter()
    cases = {name: measured(name, REPLAYS, CASES[name].peer) for name in wanted}
    results = {"machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
               "minutes": round((time.perf_counter() - began) / 60, 1), "settings": sweep.named(), "cases": cases}
    (OUT / "results.json").write_text(json.dumps(results) + "\n")
    report.write(results, OUT)
    pictures.draw(results, PICTURES)


if __name__ == "__main__":
    main()
