"""The second member of the forecast: trees that learn everything but a plain mean of the last eight weeks.

The first member leaves the level, and what all series share, to the base forecast; its trees learn the rest. Here they learn how
sales go on as well, from lags, rolling means and the days ahead. It errs elsewhere, so the average of both is better than either
(DESIGN §8, "Two together").
"""

from __future__ import annotations

from typing import Any

from demand.model.base.base_forecast import BaseForecast
from demand.model.base.factors import Factors
from demand.model.trees.algorithms import ALGORITHMS
from demand.model.trees.design_matrix import DesignMatrix
from demand.model.trees.train_params import TrainParams
from demand.model.trees.training_rows import direct_rows

WEIGHTS = {"level": 1.0}
SETTINGS = {"max_depth": 5, "learning_rate": 0.08}
TREES = 80


def direct_base(factors: Factors) -> BaseForecast:
    """The base forecast that the direct member corrects."""
    return BaseForecast(factors, WEIGHTS)


def fit_direct(factors: Factors, design: DesignMatrix, end: int, horizon: int, train: TrainParams) -> Any:
    """Its trees, from sales up to position `end`."""
    settings = train.model_copy(update=SETTINGS)
    rows = direct_rows(direct_base(factors), design, end, horizon, max(train.rows // 3, 1), train.seed)
    trees, _ = ALGORITHMS[train.algorithm].fit(settings, rows.matrix, rows.ratio, rows.weight, min(TREES, train.n_estimators))
    return trees
