"""Coverage of sums at many origins: the origins, the scores of a small panel, and the table."""

from __future__ import annotations

import numpy as np

from bench.cases import params
from bench.sums import origins_of, scores, table
from tests.support.panels import TRAIN, noisy, panel, shaped


def test_a_small_panel_end_to_end():
    sold = panel(noisy(shaped(6, 700)))
    settings = params().model_copy(update={"train": TRAIN})
    at = origins_of(sold, 2, 28)
    assert at == [sold.last_day - 118, sold.last_day - 90]
    rows = scores(sold, settings, at, horizon=28)
    assert {row["level"] for row in rows} == {"all", "store", "item", "series"}
    everything = next(row for row in rows if (row["level"], row["days"]) == ("series", 7))
    assert everything["sums"] == 2 * 6 * 4
    assert 60 <= everything["coverage_80"] <= 97
    assert f"## Small: 2 origins, {at[0]} to {at[1]}" in table("Small", at, rows)
    assert np.isfinite([row["width_80"] for row in rows]).all()
