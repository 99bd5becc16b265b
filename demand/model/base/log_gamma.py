"""The logarithm of the gamma function for arrays: numpy has none, and serving a forecast should need nothing else."""

from __future__ import annotations

import numpy as np

SHIFT = 8  # Stirling's series is good to 1e-9 from here on


def log_gamma(x: np.ndarray) -> np.ndarray:
    """log of the gamma function of x > 0, elementwise, by Stirling's series."""
    x = np.asarray(x, "f8")
    product = np.ones(x.shape)
    for k in range(SHIFT):
        product = product * (x + k)
    y = x + SHIFT
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    return (y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + series - np.log(product)
