"""What must hold of a source's days before they are cleaned: no hole in the calendar, known-future values."""

from __future__ import annotations

import numpy as np

from demand.ingest.records import Records
from demand.schema.errors import UserError
from demand.schema.listing import SHOWN, list_some

LONGEST_SILENCE = 366  # days without a sale anywhere; more is a mistyped year, and every series would be filled up to it


def last_day(records: Records, as_of: np.datetime64 | None, file: str) -> int:
    """The position of the last day that may be used: `as_of`, or the newest with sales."""
    sold = np.flatnonzero(~np.isnan(records.sales).all(axis=0))
    if not len(sold):
        raise UserError(f"{file}: no row has sales: data.columns.sales in params.yaml names the column that holds them")
    silence = np.diff(sold)
    if len(silence) and silence.max() > LONGEST_SILENCE:
        before, after = (str(records.dates[sold[silence.argmax() + side]]) for side in (0, 1))
        raise UserError(f"{file}: no series has sales between {before} and {after}: correct the dates of the rows on one side")
    if as_of is None:
        return int(sold[-1])
    first, last = records.dates[sold[[0, -1]]]
    if not first <= as_of <= last:
        raise UserError(f"params.yaml: data.as_of = {as_of} lies outside the days with sales in {file}: {first} to {last}")
    return int((as_of - records.dates[0]).astype(int))


def daily(records: Records, end: int, file: str) -> None:
    """Sales are daily, or of one weekday alone; a UserError for one value a month."""
    days = np.flatnonzero(~np.isnan(records.sales[:, : end + 1]).all(axis=0))
    steps = np.diff(days)
    if len(steps) >= 3 and steps.min() >= 28 and steps.max() <= 31:
        first, second = records.dates[days[:2]]
        raise UserError(f"{file} has one day of sales a month ({first}, {second}, ...): daily forecasts need daily sales. "
                        "Export the sales per day, or per week")


def known_values(records: Records, end: int, horizon: int, file: str) -> None:
    """Every row from a series' first sale to the horizon states the known-future columns, and the rows reach the horizon."""
    if not records.known_names:
        return
    first = (~np.isnan(records.sales)).argmax(axis=1)
    begun = ~np.isnan(records.sales[:, : end + 1]).all(axis=1)
    day = np.arange(len(records.dates))
    within = begun[:, None] & (day >= first[:, None]) & (day <= end + horizon)
    for k, name in enumerate(records.known_names):
        empty = within & records.row & np.isnan(records.known[:, :, k])
        raise_for(records, empty[:, : end + 1], f"{file}: {name} is empty in rows with history", f"fill in {name}")
        raise_for(records, empty, f"{file}: {name} is empty for days to forecast", f"fill in {name}")
    reach = records.row.shape[1] - 1 - records.row[:, ::-1].argmax(axis=1)  # the series' last row
    target = end + horizon
    until = np.arange(max(len(day), target + 1))
    absent = begun[:, None] & (until > np.maximum(reach, end)[:, None]) & (until <= target)
    raise_for(records, absent, f"{file}: no rows with {', '.join(records.known_names)} for days to forecast",
             f"add rows with empty sales up to {records.dates[0] + target}, or lower forecast.horizon")


def raise_for(records: Records, where: np.ndarray, problem: str, remedy: str) -> None:
    """Raise if `where` (S, days) holds anywhere, naming series and dates."""
    series = np.flatnonzero(where.any(axis=1))
    if len(series):
        named = [f"{records.name(s)}: {span(records.dates[0] + np.flatnonzero(where[s]))}" for s in series[:SHOWN]]
        listed = list_some(named, total=len(series), separator="; ")
        raise UserError(f"{problem}: {len(series):,} series: {listed}. Remedy: {remedy}")


def span(days: np.ndarray) -> str:
    """The first of some days, or the first, the last and their number."""
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
