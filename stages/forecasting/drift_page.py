"""The verdict as a part of a web page, ahead of Evidently's: what was found, and the recent days beside their forecast."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from stages.forecasting.deviation import Outcome
from stages.forecasting.drift import LEVEL, Finding

WIDTH, HEIGHT, EDGE = 760, 220, 50  # pixels
ROWS = 10
STYLE = """<style>
.verdict { font: 15px/1.5 sans-serif; max-width: 860px; margin: 2em auto; padding: 0 1em }
.verdict table { border-collapse: collapse }
.verdict td { padding: .2em .8em; text-align: left; border-bottom: 1px solid #ddd }
</style>"""


def page(summary: dict[str, Any], seen: Outcome | None, findings: Sequence[Finding]) -> str:
    """HTML without scripts; `summary` is that of reports/drift_summary.json."""
    parts = [STYLE, '<div class="verdict">', f"<h1>{'Train again' if summary['retrain'] else 'Keep the champion'}</h1>",
             f"<p>As of {summary['as_of']}, champion {summary['champion']}.</p>", bullets(summary["reasons"])]
    if summary["data_problems"]:
        parts += ["<h2>Data problems</h2>", bullets(summary["data_problems"])]
    if seen is not None:
        parts += ["<h2>All sales per day: forecast and what came</h2>", chart(seen)]
    if findings:
        parts += ["<h2>What moved</h2>", table(findings)]
    return "\n".join([*parts, "</div>"])


def bullets(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(findings: Sequence[Finding]) -> str:
    """One row per segment that moved, at most ROWS of each finding."""
    rows = [("segment", "what", "change", "normal up to", "confirms drift")]
    for found in findings:
        what = f"{'sales against forecast' if found.what == LEVEL else 'error against normal'}, {found.window} days"
        said = "yes" if found.confirmed else "too small a share"
        moved = list(zip(found.names, found.change, found.limit, strict=True))[:ROWS]
        rows += [(name, what, f"{change:+.0%}", f"{limit:.0%}", said) for name, change, limit in moved]
    return f"<table>{''.join(f'<tr>{cells(row)}</tr>' for row in rows)}</table>"


def cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)


def chart(seen: Outcome) -> str:
    """Sums over the series of each day: the forecast as a line, sales as dots."""
    known = ~np.isnan(seen.sales)
    sales, forecast = (np.where(known, values, 0).sum(axis=0) for values in (seen.sales, seen.forecast))
    top = max(sales.max(), forecast.max(), 1e-9)
    x = EDGE + np.arange(len(sales)) * (WIDTH - 2 * EDGE) / max(len(sales) - 1, 1)

    def y(values: np.ndarray) -> np.ndarray:
        return HEIGHT - EDGE / 2 - values / top * (HEIGHT - EDGE)

    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y(forecast), strict=True))
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#c33"/>' for a, b in zip(x, y(sales), strict=True))
    labels = "".join(f'<text x="{a:.0f}" y="{b:.0f}" font-size="12">{text}</text>' for a, b, text in (
        (4, 16, f"{top:,.0f}"), (EDGE, HEIGHT - 2, seen.dates[0]), (WIDTH - EDGE - 40, HEIGHT - 2, seen.dates[-1]),
        (WIDTH - 190, 16, "line: forecast, dots: sales")))
    return (f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="forecast and sales per day">'
            f'<polyline points="{line}" fill="none" stroke="#36c" stroke-width="2"/>{dots}{labels}</svg>')
