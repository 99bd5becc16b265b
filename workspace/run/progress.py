"""Progress on stderr: a bar for a person, a line per step for a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np


def announced(origins: Sequence[np.datetime64]) -> Iterator[np.datetime64]:
    """The origins of a backtest, one by one."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(origins, desc="backtest", unit="origin") as bar:
            yield from bar
    else:
        for n, origin in enumerate(origins, 1):
            print(f"backtest {n} of {len(origins)}: origin {origin}", file=sys.stderr, flush=True)
            yield origin
