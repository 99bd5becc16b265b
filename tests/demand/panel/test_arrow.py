"""Arrays to Arrow and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.panel import arrow


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(width=32, allow_nan=False, allow_infinity=False)), max_size=70), st.integers(0, 9))
def test_arrow_and_back(values, skipped):
    column = arrow.to_arrow(np.array([math.nan if value is None else value for value in values], "f4"))
    assert column.to_pylist() == values
    expected = [math.nan if value is None else value for value in values[skipped:]]
    np.testing.assert_array_equal(arrow.to_numpy(column.slice(skipped)), np.array(expected, "f4"))


@pytest.mark.parametrize("values", [
    np.array(["a", "", "żółw"], object), np.array(["2024-02-29", "1969-12-31"], "M8[D]"), np.arange(9), np.array([], object),
    np.arange(20)[::3].astype("i1"),
])
def test_other_kinds_to_arrow_and_back(values):
    column = arrow.to_arrow(values)
    column.validate(full=True)
    assert column.to_pylist() == values.tolist()
    np.testing.assert_array_equal(arrow.to_numpy(column), values)
    missing = np.arange(len(values)) % 2 == 1
    expected = [None if gone else value for value, gone in zip(values.tolist(), missing, strict=True)]
    assert arrow.to_arrow(values, missing).to_pylist() == expected
