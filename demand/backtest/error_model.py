"""The error model of a method: how large its errors are expected to be, from its backtest. The drift stage judges by it.

The expected spread of a segment's deviation has two parts: sampling error, which follows from the intervals and shrinks with
sales and days, and the error beyond it in the backtest. Season and horizon enter through the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ErrorPerSd(BaseModel):
    """Errors of the backtest relative to those that its intervals imply (`expected_errors`); 1 where nothing was sold."""

    model_config = ConfigDict(frozen=True)

    mae: float = Field(gt=0)
    rmse: float = Field(gt=0)
    mape: float = Field(gt=0)


class Spread(BaseModel):
    """Standard deviation of the deviations of one kind of segment beyond sampling error, in logs."""

    model_config = ConfigDict(frozen=True)

    level: float = Field(ge=0, description="of sales / forecast")
    error: float = Field(ge=0, description="of the mean absolute error")


class ErrorModel(BaseModel):
    """The expected errors of a method; a part of a champion's baseline."""

    model_config = ConfigDict(frozen=True)

    error_per_sd: ErrorPerSd
    spread: dict[int, dict[str, Spread]] = Field(description="by days of the window, then by kind of segment")


def read_error_model(baseline: Mapping[str, Any]) -> ErrorModel | None:
    """The error model in a champion's baseline; None for a champion that was promoted unscored."""
    normal = baseline.get("normal") or [None]
    return None if normal[0] is None else ErrorModel.model_validate(normal[0])
