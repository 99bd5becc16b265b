"""What the model asks of its trees. All of them learn sales as a ratio to the base forecast."""

from __future__ import annotations

import os
from typing import Protocol

import numpy as np

THREADS = 2
# Read when XGBoost or scikit-learn is loaded: threads that wait for each other yield the core instead of spinning on it. That
# makes training three to five times as fast on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


class Trees(Protocol):
    """A fitted ensemble."""

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """(N, F) float32 to (N,) multiples of the base."""

    def contributions(self, matrix: np.ndarray, exact: bool) -> np.ndarray | None:
        """(N, F + 1) log factors whose sum is the log of the multiple: one per feature, last what all rows share; or None.

        Args:
            exact: SHAP values, up to 1 ms per row, instead of an approximation in a twentieth of that or less.
        """

    def importance(self, names: list[str]) -> dict[str, float]:
        """Share of the total gain per feature, largest first."""

    def to_bytes(self) -> bytes:
        """The same bytes for the same trees."""

    def use_threads(self, count: int) -> None:
        """Predict with so many threads from now on."""


def shares_of_gain(gain: dict[str, float]) -> dict[str, float]:
    """Scaled to a sum of 1, largest first."""
    total = sum(gain.values()) or 1.0
    return {name: value / total for name, value in sorted(gain.items(), key=lambda pair: -pair[1])}
