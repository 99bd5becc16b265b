"""Days on which a series has no row while its store sells: nothing was sold, or nothing is known.

Till data have no row on a day without a sale; a feed that loses rows has none either. Which of the two a store's data are is
judged from its rows so far, day by day, and what was judged for a day is never changed by later rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from demand.ingest.records import Records
from demand.schema.listing import list_some

LONGEST_CLOSURE = 4  # days in a row without rows on which a store counts as closed; of more, nothing is known
RETURNS = 5  # times that series had no row while their store sold, and then one again: scattered absences


def state_zeros(records: Records, end: int, rule: str, transactions: bool = False) -> tuple[Records, dict[str, Any]]:
    """The records with a 0 on the series' days without a row that count as nothing sold, and what was decided.

    A store sells on a day when any of its series has a value. Of a whole store without any nothing is known: where a missing row
    means that nothing was sold it counts as closed for LONGEST_CLOSURE days, so that its weekdays and feasts are learned; from
    then on, and elsewhere, its feed counts as lost, so that a long silence lowers no forecast. `auto` takes 0 once series have
    come back RETURNS times after days without a row, as long as the store has never recorded a zero itself.

    Args:
        end: position of the last day that is seen.
        rule: auto, zero or unknown, as data.missing_days.
        transactions: the rows are purchases and returns: a till has none for what it did not sell, and a 0 is what returns leave
            of a day, so `auto` is `zero` from the first day on.
    """
    judged_by = "zero" if transactions and rule == "auto" else rule
    sales, closed = records.sales.copy(), np.zeros(records.sales.shape, bool)
    stores, group = np.unique(records.store, return_inverse=True)
    absent, zeros, since = 0, 0, {}
    for number, store in enumerate(stores.tolist()):
        rows = np.flatnonzero(group == number)
        if len(rows) < 2:  # one series alone follows its weekdays (closed_days.py)
            continue
        stated = ~np.isnan(records.sales[rows, : end + 1])
        sells = stated.any(axis=0)
        missing = ~records.row[rows, : end + 1] & sells & (np.cumsum(stated, axis=1) > 0)
        zero = judged_zero(records.sales[rows, : end + 1], missing, sells, judged_by)
        row, day = np.nonzero(missing & zero)
        sales[rows[row], day] = 0
        silent = ~sells & (np.cumsum(sells) > 0)
        closed[rows, : end + 1] = silent & zero & (run_lengths(silent) <= LONGEST_CLOSURE)
        absent, zeros = absent + int(missing.sum()), zeros + len(row)
        if len(row):
            since[store] = records.dates[day.min()]
    return replace(records, sales=sales, closed=closed), {
        "days_without_a_row": absent, "days_without_a_row_taken_as_zero": zeros,
        "missing_days": verdict(rule, absent, zeros, since, len(stores), transactions)}


def run_lengths(where: np.ndarray) -> np.ndarray:
    """(D,) how many days in a row `where` (D,) bool has held, that day included."""
    count = np.cumsum(where)
    lengths: np.ndarray = count - np.maximum.accumulate(np.where(where, 0, count))
    return lengths


def judged_zero(sales: np.ndarray, missing: np.ndarray, sells: np.ndarray, rule: str) -> np.ndarray:
    """(D,) bool: whether a day without a row counts as nothing sold, on each day of one store.

    Args:
        sales, missing: (S, D) units, and days without a row of series that have begun, on days on which the store sells.
        sells: (D,) bool.
    """
    if rule != "auto":
        return np.full(len(sells), rule == "zero")
    days = np.flatnonzero(sells)
    gone = missing[:, days]
    returned = (gone[:, :-1] & ~gone[:, 1:]).sum(axis=0)
    returns = np.zeros(len(sells), int)
    returns[days[1:]] = returned
    recorded_zeros = np.cumsum((sales == 0).any(axis=0)) > 0
    zero: np.ndarray = (np.cumsum(returns) >= RETURNS) & ~recorded_zeros
    return zero


def verdict(rule: str, absent: int, zeros: int, since: dict[Any, np.datetime64], stores: int,
            transactions: bool = False) -> str:
    """What was decided, in words; empty where no row is missing."""
    if not absent:
        return ""
    if not zeros:
        why = "as data.missing_days says" if rule == "unknown" else "as zeros are recorded, or too few series came back after one"
        return f"{absent:,} series-days without a row while their store sells: unknown, {why}"
    shown = list_some([f"{store} since {day}" for store, day in since.items()])
    till = "as the rows are transactions" if transactions else "as rows are missing on scattered days and no zero is recorded"
    why = "as data.missing_days says" if rule == "zero" else till
    return (f"{zeros:,} of {absent:,} series-days without a row while their store sells: nothing sold, {why} "
            f"(in {len(since)} of {stores} stores: {shown})")
