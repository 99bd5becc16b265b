"""The trees that correct the base: XGBoost, or scikit-learn's random forest. Both learn sales as a multiple of the base."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import Any, Protocol

import numpy as np

from demand.model.trees.train_params import TrainParams

THREADS = 2
BINS = 128
# Read when XGBoost or scikit-learn is loaded: threads that wait for each other yield the core instead of spinning on it. That
# makes training three to five times as fast on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
IMPORTING = threading.Lock()


class Trees(Protocol):
    """A fitted ensemble."""

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """(N, F) float32 to (N,) multiples of the base."""

    def importance(self, names: list[str]) -> dict[str, float]:
        """Share of the total gain per feature, largest first."""

    def to_bytes(self) -> bytes:
        """The same bytes for the same trees."""


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

    def importance(self, names: list[str]) -> dict[str, float]:
        gain = self.booster.get_score(importance_type="total_gain")
        return shares({names[int(feature[1:])]: value for feature, value in gain.items()})

    def to_bytes(self) -> bytes:
        return bytes(self.booster.save_raw("ubj"))

    @classmethod
    def from_bytes(cls, content: bytes) -> Boosted:
        booster = xgboost().Booster({"nthread": THREADS})
        booster.load_model(bytearray(content))
        return cls(booster)


class Forest:
    """Random forest; the number of trees is what params.yaml says, as more of them never overfit.

    Its pickle is made once and kept: scikit-learn's objects do not pickle to the same bytes again once they were read back.
    """

    def __init__(self, forest: Any, content: bytes) -> None:
        self.forest, self.content = forest, content

    @classmethod
    def fit(cls, train: TrainParams, matrix: np.ndarray, multiple: np.ndarray, weight: np.ndarray, trees: int,
            test: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None) -> tuple[Forest, int]:  # noqa: ARG003
        import joblib
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(trees, max_depth=train.max_depth, max_features=0.33, max_samples=0.3, min_samples_leaf=20,
                                       n_jobs=THREADS, random_state=train.seed)
        stream = io.BytesIO()
        joblib.dump(forest.fit(matrix, multiple, sample_weight=weight), stream)
        return cls(forest, stream.getvalue()), trees

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        return np.asarray(self.forest.predict(matrix), "f4")

    def importance(self, names: list[str]) -> dict[str, float]:
        return shares(dict(zip(names, self.forest.feature_importances_.tolist(), strict=True)))

    def to_bytes(self) -> bytes:
        return self.content

    @classmethod
    def from_bytes(cls, content: bytes) -> Forest:
        import joblib

        return cls(joblib.load(io.BytesIO(content)), content)


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


ALGORITHMS: dict[str, Any] = {"xgboost": Boosted, "random_forest": Forest}


def shares(gain: dict[str, float]) -> dict[str, float]:
    """Scaled to a sum of 1, largest first."""
    total = sum(gain.values()) or 1.0
    return {name: value / total for name, value in sorted(gain.items(), key=lambda pair: -pair[1])}
