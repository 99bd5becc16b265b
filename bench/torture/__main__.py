"""Breaks the system on purpose and counts what holds: python -m bench.torture [--minutes N] [PART ...] (make torture)

Each part runs in a process of its own, two at a time, and as long as its share of the time allows; with all parts the table is
written to docs/reliability.md. Fails where anything went wrong. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.report import row
from bench.torture.parts import PARTS, Row
from bench.torture.tree import ROOT

PAGE = ROOT / "docs/reliability.md"
MINUTES = 14.0
HEAD = """# What holds when things go wrong

Written by `make torture` on {day} ({minutes:g} minutes, {cores} cores, load average {load}). Each part stops when its
share of the time is over, so *done* may be less than *asked*; `python -m bench.torture --minutes 60` gives every part four times
as long. A short form runs in `make test`. The kinds of bad input, the checks and the limits: [bench/torture](../bench/torture).

"""
COLUMNS = ("what", "asked", "done", "went wrong", "measured")


def run_part(name: str, seconds: float) -> list[Row]:
    """A part in this process."""
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        return PARTS[name].run(Path(folder), time.monotonic() + seconds)


def in_own_process(name: str, seconds: float) -> list[Row]:
    """A part in a process of its own; one that fails altogether is a row as well."""
    print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "bench.torture", "--one", name, str(seconds)], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        return [Row(name, 0, 0, "", [done.stderr[-2000:]])]
    rows = [Row(**each) for each in json.loads(done.stdout.splitlines()[-1])]
    for each in rows:
        print(f"{each.what}: {each.done} of {each.aim}, {len(each.wrong)} wrong; {each.measured}", file=sys.stderr, flush=True)
    return rows


def run_lanes(names: list[str], minutes: float) -> dict[str, list[Row]]:
    """The rows of each part; two parts run at a time."""
    def lane(number: int) -> dict[str, list[Row]]:
        mine = [name for name in names if PARTS[name].lane == number]
        return {name: in_own_process(name, PARTS[name].seconds * minutes / MINUTES) for name in mine}

    with ThreadPoolExecutor(2) as lanes:
        found = {name: rows for part in lanes.map(lane, (0, 1)) for name, rows in part.items()}
    return {name: found[name] for name in names}


def page(rows: list[Row], minutes: float, load: float) -> str:
    """docs/reliability.md."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    head = HEAD.format(day=day, minutes=minutes, cores=os.cpu_count(), load=f"{load:.1f} at its start")
    lines = [row((each.what, f"{each.aim:,}", f"{each.done:,}", f"{len(each.wrong):,}", each.measured)) for each in rows]
    return head + "\n".join([row(COLUMNS), row(["---"] * len(COLUMNS)), *lines]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all parts together (%(default)g)")
    parser.add_argument("--one", nargs=2, metavar=("PART", "SECONDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps([asdict(each) for each in run_part(given.one[0], float(given.one[1]))]))
        return
    if set(given.parts) - set(PARTS):
        parser.error(f"choose from {', '.join(PARTS)}")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background commands, and all below them, ignore it
    load = os.getloadavg()[0]
    rows = [each for part in run_lanes(given.parts or list(PARTS), given.minutes).values() for each in part]
    written = page(rows, given.minutes, load)
    print(written)
    if not given.parts:
        PAGE.write_text(written, encoding="utf-8")
    if wrong := [f"{each.what}: {text}" for each in rows for text in each.wrong]:
        sys.exit("\n".join(["error: this went wrong:", *wrong]))


if __name__ == "__main__":
    main()
