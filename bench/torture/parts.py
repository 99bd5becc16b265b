"""The parts of the torture, each run in a process of its own: what it was to reach, what it did, and what went wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.serving import fuzz
from bench.serving.bodies import paths, serving
from bench.serving.hostile import SIZES, kinds
from bench.torture import bad_input, cells, kills, reloads, remote_kills
from bench.torture.tree import ROOT

KINDS, CELLS, CASES, RELOADS, KILLS = 150, 1000, 20_000, 100, 50
BODY = 50_000  # bytes of a hostile body; `python -m bench.serving.bodies` sends the largest ones
SECRETS = ("tests/automation/test_canary.py", "tests/api/test_secrets.py", "tests/workspace/test_redaction.py")


@dataclass(frozen=True)
class Row:
    """A line of the report: the aim, its number, what was done, what was measured, and what went wrong."""

    what: str
    aim: int
    done: int
    measured: str
    wrong: list[str]


def of_bad_input(folder: Path, until: float) -> list[Row]:
    """Kinds that are counted once each, whatever number of commands they were tried on."""
    counts, wrong = bad_input.run(bad_input.make_template(folder / "template"), folder / "place", until=until)
    groups = ", ".join(f"{count} {name}" for name, count in counts.items())
    return [Row("kinds of bad input: one message, earlier outputs intact", KINDS, sum(counts.values()), groups, wrong)]


def of_bodies(folder: Path, until: float) -> list[Row]:  # noqa: ARG001
    """Hostile bodies to every route that takes one."""
    tree, sent, wrong = bad_input.make_template(folder / "tree"), 0, []
    with serving(tree, "torture") as running:
        for route, path in paths(running).items():
            for name, make in kinds(route).items():
                status, _ = running.ask(path, make(min(BODY, SIZES[route])))
                sent += 1
                wrong += [f"{path}, {name}: {status}"] if status >= 500 else []
    return [Row("hostile request bodies: no 5xx", sent, sent, "", wrong)]


def of_cells(folder: Path, until: float) -> list[Row]:  # noqa: ARG001
    found = cells.run(CELLS, until)
    measured = (f"another series moves by at most {found.furthest:.2%} (limit {cells.FURTHEST:.1%}), "
                f"the mean of the others by {found.mean:.3%} ({cells.MEAN:.2%})")
    return [Row("single cells times 10³, 10⁶, 10¹²: contained", CELLS, found.cells, measured, found.wrong)]


def of_fuzzing(folder: Path, until: float) -> list[Row]:
    tree, cases, seed, wrong = bad_input.make_template(folder / "tree"), 0, 0, list[str]()
    with serving(tree, fuzz.KEY) as running:
        while cases < CASES and not wrong and (time.monotonic() < until or not seed):
            count, report = fuzz.run(running, 100, seed)
            cases, seed, wrong = cases + count, seed + 1, [report[-2000:]] if report else []
    return [Row("schemathesis, every operation, every check", CASES, cases, "", wrong)]


def of_secrets(folder: Path, until: float) -> list[Row]:
    """The tests that look for a canary in everything that commands print, write, send and answer; as far as the time allows."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *SECRETS]
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(max(until - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        text = said.read()
    collected = re.search(r"collected (\d+)", text)
    wrong = [line for line in text.splitlines() if re.search(r" (FAILED|ERROR) ", line)]
    if process.returncode > 0 and not wrong:
        wrong = [text[-2000:]]
    return [Row("tests for a canary in every secret", int(collected[1]) if collected else 0, text.count(" PASSED "), "", wrong)]


def of_reloads(folder: Path, until: float) -> list[Row]:
    result = reloads.run(bad_input.make_template(folder / "template"), folder / "tree", RELOADS, until)
    before, after, answers = result.before, result.after, result.answers
    measured = (f"{answers.count:,} answers, {len(answers.failed)} failed, {len(answers.mixed)} mixed; from reload "
                f"{reloads.SETTLED} to the last: {before.megabytes:.0f} to {after.megabytes:.0f} MB, {before.descriptors} to "
                f"{after.descriptors} descriptors, {before.maps} to {after.maps} mappings")
    wrong = answers.failed + [f"an answer that is neither version's: {each}" for each in answers.mixed] + result.growth()
    return [Row("reloads of another champion under load", RELOADS, result.reloads, measured, wrong)]


def of_kills(target: Callable[[Path], kills.Target]) -> Callable[[Path, float], list[Row]]:
    def part(folder: Path, until: float) -> list[Row]:
        bad_input.preload()
        made = target(folder)
        try:
            tally = kills.torture(made, KILLS, until)
        finally:
            getattr(made, "close", lambda: None)()
        return [Row(f"kills of `{tally.name}`: sound, and repaired by running it again", KILLS, tally.kills,
                    f"{tally.seconds:.1f} s undisturbed", tally.wrong)]

    return part


@dataclass(frozen=True)
class Part:
    """A part, how many seconds it may take of a quarter of an hour, and which of two lanes it runs in."""

    run: Callable[[Path, float], list[Row]]
    seconds: int
    lane: int


PARTS = {
    "reloads": Part(of_reloads, 240, 0), "bad-input": Part(of_bad_input, 330, 0), "cells": Part(of_cells, 60, 0),
    "bodies": Part(of_bodies, 20, 0), "secrets": Part(of_secrets, 130, 0),
    "repro": Part(of_kills(kills.Repro), 330, 1), "promote": Part(of_kills(kills.Promote), 140, 1),
    "record": Part(of_kills(remote_kills.Record), 110, 1), "deploy": Part(of_kills(remote_kills.Deploy), 140, 1),
    "fuzz": Part(of_fuzzing, 90, 1),
}
