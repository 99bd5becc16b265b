"""The bench that runs real files through dvc: what it compares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.field.through_dvc import sum_error
from tests.support.panels import panel


def test_only_days_that_the_file_has_are_compared():
    whole = panel(np.full((2, 40), 5.0))
    forecast = pd.DataFrame({"date": whole.last_day - 9 + np.arange(90), "forecast": 11.0})  # 10 of its 90 days are in the file
    assert sum_error(forecast, whole) == pytest.approx(10)
