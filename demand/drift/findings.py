"""What the drift stage finds: segments that moved, and the verdict on the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from demand.backtest.residuals import Residuals


@dataclass(frozen=True)
class Finding:
    """Segments of one kind that moved in the last `window` days, the largest first.

    Attributes:
        what: LEVEL, sales against forecast, or ERROR, forecast error against the expected one (demand/drift/measures.py).
        change: (G,) relative change: of sales against the forecast (for segments, beyond that of all sales), or of the error.
        limit: (G,) the size from which a change is no longer normal.
        share: of all expected sales, in these segments.
        confirmed: whether that share is worth a training.
    """

    kind: str
    what: str
    window: int
    names: list[str]
    change: np.ndarray
    limit: np.ndarray
    share: float
    confirmed: bool


@dataclass(frozen=True)
class Verdict:
    """The verdict of the drift stage.

    Attributes:
        newest: the newest day with sales.
        trained_through: last day of the champion's training, None without a champion.
        obstacle: why there is no champion to judge; then a model is to be trained on everything.
        residuals, findings: the champion's residuals on the newest days, and what moved; None where it is too early.
        confirmed: the newest day on which drift was confirmed, None where there was none since the training.
        confirmed_findings: what moved on that day.
        mape_limit: relative rise of the newest days' MAPE over the expected one, from which it is an alarm.
    """

    newest: np.datetime64
    trained_through: date | None = None
    obstacle: str | None = None
    residuals: Residuals | None = None
    findings: Sequence[Finding] = ()
    confirmed: np.datetime64 | None = None
    confirmed_findings: Sequence[Finding] = ()
    mape_limit: float | None = None

    @property
    def retrain(self) -> bool:
        return self.obstacle is not None or self.confirmed is not None

    @property
    def train_through(self) -> str:
        """The last day that a model should be trained on."""
        return str(self.newest if self.obstacle else self.confirmed or self.trained_through)


def drifted(findings: Sequence[Finding]) -> bool:
    """Whether any finding is worth a training."""
    return any(finding.confirmed for finding in findings)
