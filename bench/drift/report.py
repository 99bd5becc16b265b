"""The figures as tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.drift import spoiled
from bench.drift.injection import KINDS
from bench.drift.rates import median_delay, wilson

WITHIN = (14, 28)  # days
ABOUT = """# Drift bench

Written by `make drift-bench` on {machine}, in {minutes} minutes. A champion is trained and backtested as the pipeline does
it, then never replaced, and judged on every day that follows by the functions of the drift stage; a weekly check sees the days
since the last one. **False alarms**: checks that call drift although nothing was injected. **Found**: drift is injected from a
random day on, the first check comes a week later. In brackets: 95 % intervals (Wilson). **Evidently**: its drift preset at its
defaults, the last 90 days against all that was trained on, or against the same days a year before, samples of 5,000 rows; asked
four weeks after the drift began. What it finds is to be read beside how often it calls drift that is none.
"""
TABLE = tuple[tuple[str, ...], list[tuple[str, ...]]]
LEVELS = ("level", "level_store", "level_fifth", "level_tenth", "weekday", "season", "noise")


def rate(hits: int, tries: int) -> str:
    """A share and its interval, in %."""
    if not tries:
        return "–"
    low, high = wilson(hits, tries)
    return f"{100 * hits / tries:.{0 if hits in (0, tries) else 1}f} % ({100 * low:.1f} to {100 * high:.1f})"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def pooled(cases: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All champions of some cases as one."""
    champions = [champion for case in cases for champion in case["champions"].values()]
    return {"quiet": {key: sum(one["quiet"][key] for one in champions) for key in champions[0]["quiet"]},
            "delays": {kind: [day for one in champions for day in one["delays"][kind]] for kind in KINDS}}


def per_year(quiet: dict[str, int]) -> str:
    """Alarms a year, each of them answered by a new champion."""
    return f"{365.25 * quiet['separate'] / quiet['days']:.1f}"


def within(delays: list[int | None], days: int) -> int:
    return sum(day is not None and day <= days for day in delays)


def kind_rows(found: dict[str, Any], peers: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """First without drift, then each kind: this project's judgement and Evidently's."""
    quiet = found["quiet"]
    checks = sum(one["checks"] for one in peers)
    rows = [("nothing: false alarms per weekly check", "", rate(quiet["alarms"], quiet["checks"]), "",
             *(rate(sum(one[key] for one in peers), checks) for key in ("quiet", "quiet_matched")))]
    for kind, delays in found["delays"].items():
        if not delays:
            continue
        middle = median_delay(delays)
        tried = sum(one["kinds"][kind]["replays"] for one in peers)
        said = [rate(sum(one["kinds"][kind][key] for one in peers), tried) for key in ("found", "found_matched")]
        rows.append((KINDS[kind].title, *(rate(within(delays, days), len(delays)) for days in WITHIN),
                     f"{middle:.0f} days" if middle else f"more than {KINDS[kind].follow} days", *said))
    return rows


def case_rows(cases: dict[str, Any]) -> list[tuple[str, ...]]:
    """Each case: false alarms, alarms a year, and what is found within 28 days."""
    rows: list[tuple[str, ...]] = []
    for case in cases.values():
        found = pooled([case])
        quiet, delays = found["quiet"], found["delays"]
        shares = [f"{100 * within(delays[kind], 28) / len(delays[kind]):.0f} %" if delays[kind] else "–" for kind in LEVELS]
        rows.append((case["title"], f"{quiet['alarms']} of {quiet['checks']}", per_year(quiet), *shares))
    return rows


def spoiled_rows(cases: dict[str, Any]) -> list[tuple[str, ...]]:
    """Each kind of broken feed, some cases together."""
    rows: list[tuple[str, ...]] = []
    for kind, title in spoiled.KINDS.items():
        tried, drift, told = (sum(case["spoiled"][kind][key] for case in cases.values()) for key in ("replays", "drift", "told"))
        rows.append((title, f"{told} of {tried}", f"{drift} of {tried}"))
    return rows


def markdown(results: dict[str, Any]) -> str:
    """bench/drift/results.md."""
    cases = results["cases"]
    parts = [ABOUT.format(**results)]
    for title, aim in (("Data that the gate is made for", True), ("Where it ends", False)):
        some = {name: case for name, case in cases.items() if case["aim"] == aim}
        if not some:
            continue
        found = pooled(some.values())
        quiet = found["quiet"]
        peers = [case["peer"] for case in some.values() if "peer" in case]
        parts += [f"## {title}\n", "; ".join(case["title"] for case in some.values()) + f". {quiet['days']:,} days judged, "
                  f"{quiet['alarm_days']} of them with an alarm; {per_year(quiet)} alarms a year.\n",
                  table(("drift", "found within 14 days", "within 28 days", "median", "Evidently", "the same, season-matched"),
                        kind_rows(found, peers)),
                  table(("data", "false alarms", "alarms a year", *(KINDS[kind].title for kind in LEVELS)), case_rows(some)),
                  table(("broken feed", "told as a data problem within 14 days", "taken for drift"), spoiled_rows(some))]
    return "\n".join(parts)


def records(results: dict[str, Any]) -> list[tuple[Any, ...]]:
    """results.csv: one row per champion and kind."""
    rows: list[tuple[Any, ...]] = [("case", "trained_through", "kind", "replays", "within_14", "within_28", "median_delay")]
    for name, case in results["cases"].items():
        for day, champion in case["champions"].items():
            rows += [(name, day, kind, len(delays), within(delays, 14), within(delays, 28), median_delay(delays))
                     for kind, delays in champion["delays"].items()]
    return rows


def write(results: dict[str, Any], out: Path) -> None:
    """Tables beside the results."""
    (out / "results.md").write_text(markdown(results), encoding="utf-8")
    with (out / "results.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(records(results))
