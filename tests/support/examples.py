"""What several test files start from: this repository, its params.yaml, and a source that is a mess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from demand.ingest.records import Records

ROOT = Path(__file__).parents[2]
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())


def mess(seed: int, known: tuple[str, ...] = ()) -> Records:
    """A few series with everything that goes wrong: gaps, closed days, typing errors, late starts and early ends."""
    rng = np.random.default_rng(seed)
    stores, items, days = rng.integers(1, 4), rng.integers(1, 4), rng.integers(20, 240)
    store, item = (ids.ravel() for ids in np.indices((stores, items)))
    shape = (len(store), days)
    day = np.arange(days)
    shift = np.where(rng.random((len(store), 1)) < 0.2, 1 + 4 * (day > days // 2), 1)
    level = rng.choice([0.3, 3, 30, 300], (len(store), 1)) * shift
    mean = level * rng.choice([0.6, 1, 1.5], (len(store), 7))[:, day % 7] * np.where(rng.random(days) < 0.03, 4, 1)
    sales = rng.poisson(mean * rng.gamma(4, 1 / 4, shape)).astype("f4")
    typing_error = rng.random(shape) < rng.choice([0, 0.01, 0.05])
    sales[typing_error] *= rng.choice([10, 100, 1e9], typing_error.sum())
    sales[:, rng.integers(7) :: 7] *= rng.random((len(store), 1)) < 0.5  # half of the series rest once a week
    sales[rng.random(shape) < 0.01] = 0
    row = rng.random(shape) > rng.choice([0, 0.02, 0.3])
    if days > 60:
        row[rng.integers(len(store)), 20 : 20 + rng.integers(1, 40)] = False
    row &= (day >= rng.integers(0, days // 2, (len(store), 1))) & (day < rng.integers(days // 2 + 1, 2 * days, (len(store), 1)))
    row[:, rng.integers(7) :: 7] &= rng.random((len(store), 1)) < 0.8
    row[0, [0, -1]] = True
    sales[~row | (rng.random(shape) < 0.02)] = np.nan
    sales[0, [0, -1]] = 7
    likely = [0.9 if name == "open" else 0.3 for name in known]
    values = np.where(row[:, :, None], rng.random((*shape, len(known))) < likely, np.nan).astype("f4")
    keep = ~np.isnan(sales).all(axis=1)
    return Records(store[keep], item[keep], np.datetime64("2023-05-03") + day, sales[keep], row[keep], values[keep], known)
