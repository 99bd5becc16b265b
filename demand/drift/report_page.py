"""The verdict as the first part of the drift report's web page; Evidently's report follows it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from demand.backtest.residuals import Residuals
from demand.backtest.segments import WEEKDAY, segments
from demand.drift.findings import Finding, Verdict
from demand.drift.measures import LEVEL
from demand.drift.summary_record import DriftSummary

WIDTH, HEIGHT, EDGE = 760, 180, 50  # pixels
ROWS, EACH, CHARTS = 10, 2, 4  # rows of a finding; charts of a finding, and of all
STYLE = """<style>
.verdict { font: 15px/1.5 sans-serif; max-width: 860px; margin: 2em auto; padding: 0 1em }
.verdict table { border-collapse: collapse }
.verdict tr:first-child { font-weight: bold }
.verdict td { padding: .2em .8em; text-align: left; border-bottom: 1px solid #ddd }
</style>"""


def page(summary: DriftSummary, verdict: Verdict) -> str:
    """HTML without scripts."""
    residuals, findings = verdict.residuals, verdict.findings
    parts = [STYLE, '<div class="verdict">', f"<h1>{'Train again' if summary.retrain else 'Keep the champion'}</h1>",
             f"<p>As of {summary.as_of}, champion {summary.champion or '(none yet)'}.</p>", bullets(summary.reasons)]
    if summary.data_problems:
        parts += ["<h2>Data problems</h2>", bullets(summary.data_problems)]
    if summary.ended_series:
        parts += ["<h2>No sales for a year</h2>", bullets(summary.ended_series)]
    if residuals is not None:
        everything = np.ones(len(residuals.store), bool)
        parts += ["<h2>Sales per day: forecast and actual</h2>", chart(residuals, everything, "all series")]
        parts += [chart(residuals, rows, name) for name, rows in moved_series(residuals, findings)]
    if findings:
        parts += ["<h2>What moved</h2>", table(findings)]
    if verdict.confirmed is not None and verdict.confirmed != verdict.newest and verdict.confirmed_findings:
        parts += [f"<h2>What moved when drift was confirmed, on {verdict.confirmed}</h2>", table(verdict.confirmed_findings)]
    parts.append("<h2>Whether the data looks different</h2><p>What follows is Evidently's: the last days against the same season "
                 "a year before, each series beside its own year, the common level taken out. It trains nothing by itself.</p>")
    return "\n".join([*parts, "</div>"])


def moved_series(residuals: Residuals, findings: Sequence[Finding]) -> list[tuple[str, np.ndarray]]:
    """The largest segments whose sales moved, at most CHARTS: name, and (S,) bool, which series they are."""
    kinds = {kind: (names, group) for kind, names, group in segments(residuals) if kind != WEEKDAY}
    rows_by_name: dict[str, np.ndarray] = {}
    for finding in findings:
        if finding.what == LEVEL and finding.kind in kinds:
            names, group = kinds[finding.kind]
            code = {names[g]: g for g in range(len(names))}
            rows_by_name |= {name: group == code[name] for name in finding.names[:EACH]}
    return list(rows_by_name.items())[:CHARTS]


def bullets(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(findings: Sequence[Finding]) -> str:
    """One row per segment that moved, at most ROWS of each finding."""
    rows = [("segment", "what", "change", "normal up to", "confirms drift")]
    for finding in findings:
        what = f"{'sales against forecast' if finding.what == LEVEL else 'error against normal'}, {finding.window} days"
        confirms = "yes" if finding.confirmed else "too small a share"
        largest = list(zip(finding.names, finding.change, finding.limit, strict=True))[:ROWS]
        rows += [(name, what, f"{change:+.0%}", f"{limit:.0%}", confirms) for name, change, limit in largest]
    return f"<table>{''.join(f'<tr>{cells(row)}</tr>' for row in rows)}</table>"


def cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)


def chart(residuals: Residuals, rows: np.ndarray, name: str) -> str:
    """Sums over some series (S,) bool of each day: the forecast as a line, sales as dots."""
    known = ~np.isnan(residuals.sales[rows])
    sales, forecast = (np.where(known, values[rows], 0).sum(axis=0) for values in (residuals.sales, residuals.forecast))
    top = max(sales.max(), forecast.max(), 1e-9)
    x = EDGE + np.arange(len(sales)) * (WIDTH - 2 * EDGE) / max(len(sales) - 1, 1)

    def y(values: np.ndarray) -> np.ndarray:
        return HEIGHT - EDGE / 2 - values / top * (HEIGHT - EDGE)

    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y(forecast), strict=True))
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#c33"/>' for a, b in zip(x, y(sales), strict=True))
    base = HEIGHT - EDGE / 2
    labels = "".join(f'<text x="{a:.0f}" y="{b:.0f}" font-size="12">{text}</text>' for a, b, text in (
        (0, EDGE / 2 + 4, f"{top:,.0f}"), (0, base + 4, "0"), (EDGE, HEIGHT - 8, residuals.dates[0]),
        (WIDTH - EDGE - 64, HEIGHT - 8, residuals.dates[-1]), (EDGE, 14, f"{escape(name)}: forecast (line), sales (dots)")))
    return (f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="forecast and sales per day, {escape(name)}">'
            f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{base}" y2="{base}" stroke="#bbb"/>'
            f'<polyline points="{line}" fill="none" stroke="#36c" stroke-width="2"/>{dots}{labels}</svg>')
