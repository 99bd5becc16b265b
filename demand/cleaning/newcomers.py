"""Sales of series that have no history of their own to be judged by: outliers in the first weeks, or of rare sellers.

They are compared with what the series, its item in the other stores, and all series reached so far. What a series reached is its
third-highest day: two outliers do not move it. Only values far beyond all that are errors: a series may be new and large.
"""

from __future__ import annotations

import numpy as np

OWN, ITEM, HIGHEST = 30, 30, 100  # times what was reached, beyond which sales are an error: see `limits`
PEERS = 4  # series that tell what an item, or all of them, reach


def implausible(sales: np.ndarray, observed: np.ndarray, unjudged: np.ndarray, store: np.ndarray,
                item: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows and columns (N,) of such errors, and what each is lowered to (N,) float32. No day depends on a later one.

    Args:
        sales, observed: (S, D) units per day, and where they are sales of an open day.
        unjudged: (S, D) bool, the days that the series' own history does not judge.
        store, item: (S,) ids.
    """
    groups = [np.unique(ids, return_inverse=True)[1] for ids in (store, item)]
    top = np.zeros((len(sales), 3), "f4")  # the highest days so far, in falling order
    found = []
    for t in range(sales.shape[1]):
        units = np.where(observed[:, t], sales[:, t], 0).astype("f4")
        doubtful = np.flatnonzero(unjudged[:, t] & (units > 0) & (units > OWN * top[:, 2]))
        if len(doubtful):
            limit, believed = limits(top[doubtful, 2], highest(top, units), doubtful, *groups)
            wrong = units[doubtful] > limit
            units[doubtful[wrong]] = believed[wrong]
            found += [(row, t, value) for row, value in zip(doubtful[wrong].tolist(), believed[wrong].tolist(), strict=True)]
        top = highest(top, units)
    rows, columns, values = zip(*found, strict=True) if found else ((), (), ())
    return np.array(rows, int), np.array(columns, int), np.array(values, "f4")


def highest(top: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(S, 3) the highest days with those of one more day (S,)."""
    if not (units > top[:, 2]).any():
        return top
    return np.sort(np.concatenate([top, units[:, None]], axis=1), axis=1)[:, :0:-1]


def reached(top: np.ndarray) -> np.ndarray:
    """(S,) the third-highest day; the lowest of them where there are fewer with sales, 0 without any."""
    return np.where(top[:, 2] > 0, top[:, 2], np.where(top[:, 1] > 0, top[:, 1], top[:, 0]))


def wild(top: np.ndarray) -> np.ndarray:
    """(S,) bool: the highest day is far beyond the third-highest."""
    return (top[:, 2] > 0) & (top[:, 0] > OWN * top[:, 2])


def limits(own: np.ndarray, top: np.ndarray, rows: np.ndarray, store: np.ndarray,
           item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the series `rows` (N,): the value from which sales are an error, infinite where none can be given, and its replacement.

    Args:
        own: (N,) what each reached before, 0 where it sold on fewer than three days.
        top: (S, 3) the highest days of all series, up to this one.
        store, item: (S,) groups.
    """
    level = reached(top)
    ordered = np.sort(level[level > 0])
    if len(ordered) < PEERS:
        return np.where(own > 0, OWN * own, np.float32(np.inf)), own
    usual = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    of_item, of_store = (group_medians(level, group, rows) for group in (item, store))
    comparable = ~np.isnan(of_item)
    peers = np.where(comparable, of_item * np.fmax(of_store / usual, 1), ordered[-2]).astype("f4")
    limit = np.maximum(np.where(comparable, ITEM, HIGHEST) * peers, OWN * own)
    return limit.astype("f4"), np.where(own > 0, own, peers)


def group_medians(level: np.ndarray, group: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(N,) the median level of the series in the group of each of `rows` that have sold; NaN where they are fewer than PEERS."""
    sold = np.flatnonzero((level > 0) & np.isin(group, group[rows]))
    order = sold[np.lexsort((level[sold], group[sold]))]
    count = np.bincount(group[order], minlength=group.max() + 1)
    start = np.cumsum(count) - count
    enough = count >= PEERS
    medians = np.full(len(count), np.nan, "f4")
    low, high = (order[(start + half)[enough]] for half in ((count - 1) // 2, count // 2))
    medians[enough] = (level[low] + level[high]) / 2
    return medians[group[rows]]
