"""bench/field.md: the figures as tables, and in words where this project loses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bench.field.judge import OURS
from bench.field.summary import MEASURES, best_peer
from bench.report import row

ABOUT = """Written by `make bench-field` on {machine}. The files lie in `../shared/data/field` and are not ours to pass
on; the parameters that read each, and its origins, are in [field/files.yaml](field/files.yaml). Every method forecasts the 28
days after each origin and sees only rows up to it, and the planned columns that the manifest names{planned}.
Scored are all series with a row up to the origin; a day without a row counts as 0. WAPE in % of the units sold, means over the
origins: *totals* of 28 days per series, and *days*. *|bias|* is the mean over origins of the absolute bias of the sum. *Covered*:
days inside the 80 % interval, randomised where the outcome has a point mass ([field/metrics.py](field/metrics.py) says how).
This project runs with the committed params.yaml and a horizon of 28 days; the peers are judged on their point forecasts."""


def markdown(results: dict[str, Any]) -> str:
    """The whole page."""
    files, summary = results["files"], results["summary"]
    planned = [f"`{column}` ({name})" for name, file in files.items() for column in file["planned"]]
    about = ABOUT.format(machine=results["machine"], planned=f": {', '.join(planned)}" if planned else " (here: none)")
    parts = ["# Real files of retailers, beside seven peers", about, "## All files", overall(summary),
             "## Targets", target_table(summary), "## Where this project loses", *losses(files), *refusals(files)]
    for name, file in files.items():
        parts += [f"## {name}: {file['title']}", file_table(file), origin_table(file)]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)])


def overall(summary: dict[str, Any]) -> str:
    """Geometric means relative to each file's best peer."""
    head = ("method", "files", *(f"{words}: mean × best peer" for words in MEASURES.values()),
            *(f"{words}: worst file" for words in MEASURES.values()))
    rows = [(bold(name), str(each["files"]), *(f"{each[measure]['mean']:.2f}" for measure in MEASURES),
             *(f"{each[measure]['worst']:.2f} ({each[measure]['worst_file']})" for measure in MEASURES))
            for name, each in summary["methods"].items()]
    return table(head, rows)


def target_table(summary: dict[str, Any]) -> str:
    """Each target of the issue, and whether it is reached."""
    return table(("target", "value", ""), [(each["target"], each["value"], "reached" if each["reached"] else "**missed**")
                                           for each in summary["targets"]])


def losses(files: dict[str, Any]) -> list[str]:
    """One list: every file and measure on which a peer is better, the worst first."""
    found = []
    for name, file in files.items():
        for measure, words in MEASURES.items():
            peer, best = best_peer(file, measure)
            ours = file["methods"].get(OURS, {}).get(measure)
            if ours is not None and ours > best:
                found.append((ours / best, f"- {name}, {words}: {ours:.1f} %, {peer} {best:.1f} % ({ours / best:.2f} ×)"))
    lines = [line for _, line in sorted(found, reverse=True)]
    return ["\n".join(lines) if lines else "On no file of those that it answered."]


def refusals(files: dict[str, Any]) -> list[str]:
    """The origins without a forecast, in words; they are left out of every method's figures."""
    lines = [f"- {name}, {day}: {record['refused']}" for name, file in files.items() for day, record in file["origins"].items()
             if record["refused"]]
    return ["No forecast, and left out of the figures of every method:\n\n" + "\n".join(lines)] if lines else []


def file_table(file: dict[str, Any]) -> str:
    """Every method on one file."""
    rows = []
    for name, scores in file["methods"].items():
        covered = f"{file['coverage_80']:.1f}" if name == OURS and file["coverage_80"] is not None else ""
        marks = [f"**{scores[m]:.1f}**" if best_peer(file, m)[0] == name else f"{scores[m]:.1f}" for m in MEASURES]
        rows.append((bold(name), *marks, f"{scores['bias']:+.1f}", f"{scores['bias_abs']:.1f}", covered))
    return table(("method", "totals", "days", "bias %", "|bias| %".replace("|", "\\|"), "covered by 80 %"), rows)


def origin_table(file: dict[str, Any]) -> str:
    """This project beside the best peer of each single origin."""
    rows = []
    for day, record in file["origins"].items():
        cells = [day, str(record["series"])]
        for measure in MEASURES:
            peer, best = best_peer(record, measure)
            ours = record["methods"].get(OURS, {}).get(measure)
            cells += ["no forecast" if ours is None else f"{ours:.1f}", f"{best:.1f} ({peer})"]
        bias = record["methods"].get(OURS, {}).get("bias")
        rows.append((*cells, "" if bias is None else f"{bias:+.1f}"))
    return table(("origin", "series", "totals", "best peer there", "days", "best peer there", "bias %"), rows)


def bold(name: str) -> str:
    """This project stands out."""
    return f"**{name}**" if name == OURS else name
