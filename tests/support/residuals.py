"""Residuals of 40 series whose truth is known, and what is normal for them."""

from __future__ import annotations

import numpy as np

from demand.backtest.error_model import ErrorModel, ErrorPerSd, Spread
from demand.backtest.residuals import Residuals
from demand.champion.champion_record import Champion
from demand.drift.drift_params import DriftParams
from tests.support.examples import PARAMS

RULES = DriftParams.model_validate(PARAMS["drift"])
SIZE = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0, "mape": np.sqrt(2 / np.pi)}  # errors of a normal distribution, per sd
KINDS = ("everything", "store", "item", "series", "weekday")
FIRST = np.datetime64("2024-01-01")  # a Monday


def normal(level: float = 0.02, error: float = 0.05) -> ErrorModel:
    spread = {kind: Spread(level=level, error=error) for kind in KINDS}
    return ErrorModel(error_per_sd=ErrorPerSd(**SIZE), spread={28: spread, 14: spread})


def outcome(rng: np.random.Generator, factor: np.ndarray | float = 1.0, noise: float = 1.0, mean: float = 100.0,
            wave: float = 0.0, days: int = 28) -> Residuals:
    """5 stores × 8 items on whole weeks; `factor` (40, days) or less on what was forecast, `noise` on the sd of 12 %."""
    number = np.arange(40)
    forecast = np.full((40, days), mean) * (1 + wave * np.sin(np.arange(days) / 9))
    sd = 0.12 * forecast
    sales = forecast * factor + noise * sd * rng.standard_normal((40, days))
    return Residuals(number // 8 + 1, number % 8 + 1, FIRST + np.arange(days), np.maximum(sales, 0), forecast, sd)


def series(*chosen: int) -> np.ndarray:
    return np.isin(np.arange(40), chosen)[:, None]


def pointer(trained_through: str, *known_future: str) -> Champion:
    return Champion(version="20240501T000000Z", model="m", sha256="0" * 64, trained_through=trained_through, train={}, horizon=28,
                    known_future=known_future, baseline={}, promoted_at="2024-05-01T00:00:00Z", promoted_by="me", reason="",
                    previous=None)
