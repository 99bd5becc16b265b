"""XGBoost's trees, and the library without what it takes along for nothing."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

from demand.model.trees.train_params import TrainParams
from demand.model.trees.trees import THREADS, shares_of_gain

BINS = 128
IMPORTING = threading.Lock()


class Boosted:
    """XGBoost with a log link (count:poisson): what it learns is weighted like units sold, and is never negative."""

    def __init__(self, booster: Any) -> None:
        self.booster = booster

    @classmethod
    def fit(cls, train: TrainParams, matrix: np.ndarray, multiple: np.ndarray, weight: np.ndarray, trees: int,
            test: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None) -> tuple[Boosted, int]:
        """Fit `trees` trees; returns the model and, with test rows, the number of trees that was best on them."""
        xgb = xgboost()
        settings = {
            "objective": "count:poisson", "base_score": 1.0, "tree_method": "hist", "max_bin": BINS, "nthread": THREADS,
            "max_depth": train.max_depth, "eta": train.learning_rate, "subsample": 0.8, "colsample_bytree": 0.7,
            "min_child_weight": 20, "reg_lambda": 5, "seed": train.seed,
        }
        data = xgb.QuantileDMatrix(matrix, label=multiple, weight=weight, max_bin=BINS)
        if test is None:
            return cls(xgb.train(settings, data, trees)), trees
        held_out = xgb.QuantileDMatrix(test[0], label=test[1], weight=test[2], max_bin=BINS, ref=data)
        booster = xgb.train(settings, data, trees, evals=[(held_out, "test")], early_stopping_rounds=20, verbose_eval=False)
        return cls(booster[: booster.best_iteration + 1]), booster.best_iteration + 1

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.inplace_predict(matrix))

    def contributions(self, matrix: np.ndarray, exact: bool) -> np.ndarray | None:
        rows = xgboost().DMatrix(matrix, nthread=1)
        return np.asarray(self.booster.predict(rows, pred_contribs=True, approx_contribs=not exact))

    def importance(self, names: list[str]) -> dict[str, float]:
        gain = self.booster.get_score(importance_type="total_gain")
        return shares_of_gain({names[int(feature[1:])]: value for feature, value in gain.items()})

    def use_threads(self, count: int) -> None:
        self.booster.set_param({"nthread": count})

    def to_bytes(self) -> bytes:
        return bytes(self.booster.save_raw("ubj"))

    @classmethod
    def from_bytes(cls, content: bytes) -> Boosted:
        booster = xgboost().Booster({"nthread": THREADS})
        booster.load_model(bytearray(content))
        return cls(booster)


def xgboost() -> Any:
    """The library, without scikit-learn, SciPy's statistics and pandas, which it takes along where they are installed.

    That is two thirds of its time to start, for nothing: the classes that need them are not used here. A random forest can
    import them afterwards.
    """
    with IMPORTING:
        if "xgboost" not in sys.modules and "sklearn" not in sys.modules:
            sys.modules["sklearn"] = None  # type: ignore[assignment]
            try:
                import xgboost
            finally:
                del sys.modules["sklearn"]
        import xgboost
    return xgboost
