"""scikit-learn's random forest, kept as arrays: reading one back runs no code, and predicting needs numpy alone."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from demand.model.trees.train_params import TrainParams
from demand.model.trees.trees import THREADS, shares_of_gain

NODE_COLUMNS = ("left_child", "right_child", "feature", "threshold", "missing_go_to_left")  # as scikit-learn names them


class Forest:
    """A fitted random forest; the number of trees is what params.yaml says, as more of them never overfit.

    Attributes:
        arrays: of all M nodes, one tree after the other: `left_child`, `right_child` (positions among all nodes; a leaf's own),
            `feature`, `threshold`, `missing_go_to_left` (where NaN goes), `value` (what a leaf predicts); `root` (T,) the first
            node of each tree; `depth` (1,) of the deepest; `gain` (F,) importance per feature.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays

    @classmethod
    def fit(cls, train: TrainParams, matrix: np.ndarray, multiple: np.ndarray, weight: np.ndarray, trees: int,
            test: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None) -> tuple[Forest, int]:  # noqa: ARG003
        """Fit `trees` trees; returns the model and their number."""
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(trees, max_depth=train.max_depth, max_features=0.33, max_samples=0.3, min_samples_leaf=20,
                                       n_jobs=THREADS, random_state=train.seed)
        forest.fit(matrix, multiple, sample_weight=weight)
        return cls(forest_arrays([tree.tree_ for tree in forest.estimators_], forest.feature_importances_)), trees

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        a, row = self.arrays, np.arange(len(matrix))
        matrix = np.asarray(matrix, "f4")
        total = np.zeros(len(matrix))
        for root in a["root"]:
            node = np.full(len(matrix), root)
            for _ in range(int(a["depth"][0])):
                value = matrix[row, a["feature"][node]]
                left = np.where(np.isnan(value), a["missing_go_to_left"][node], value <= a["threshold"][node])
                node = np.where(left, a["left_child"][node], a["right_child"][node])
            total += a["value"][node]
        return (total / len(a["root"])).astype("f4")

    def contributions(self, matrix: np.ndarray, exact: bool) -> np.ndarray | None:  # noqa: ARG002
        """A mean of multiples is no product."""
        return None

    def importance(self, names: list[str]) -> dict[str, float]:
        return shares_of_gain(dict(zip(names, self.arrays["gain"].tolist(), strict=True)))

    def use_threads(self, count: int) -> None:
        """numpy walks the trees in this thread, whatever is asked for."""

    def to_bytes(self) -> bytes:
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **self.arrays)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Forest:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return cls(dict(archive))


def forest_arrays(trees: list[Any], gain: np.ndarray) -> dict[str, np.ndarray]:
    """The nodes of scikit-learn's trees, one after the other (Forest.arrays)."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*NODE_COLUMNS, "value")}
    root = np.cumsum([0, *(tree.node_count for tree in trees)])
    for start, tree in zip(root, trees, strict=False):
        nodes, own = tree.__getstate__()["nodes"], start + np.arange(tree.node_count)
        leaf = nodes["left_child"] < 0
        for name in ("left_child", "right_child"):
            parts[name].append(np.where(leaf, own, start + nodes[name]).astype("i4"))
        parts["feature"].append(np.where(leaf, 0, nodes["feature"]).astype("i2"))
        parts["threshold"].append(nodes["threshold"].astype("f8"))
        parts["missing_go_to_left"].append(nodes["missing_go_to_left"].astype(bool))
        parts["value"].append(tree.value[:, 0, 0].astype("f8"))
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    return arrays | {"root": root[:-1].astype("i4"), "depth": np.array([max(tree.max_depth for tree in trees)], "i4"),
                     "gain": gain.astype("f8")}
