"""The record of a champion: models/champion.json. No files are read here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from demand.schema.errors import UserError
from demand.schema.json_record import Digest, sha256

METRIC = "smape"  # decides; the lower the better
TABLED = ("smape", "mae", "rmse", "mape", "wape", "mase", "bias")  # of the backtest, in cards and in the history
BASELINE = ("origins", "horizon", *TABLED, "pinball", "coverage_80", "coverage_95", "intervals", "per_origin", "per_month",
            "normal")
ID_FORMAT = "%Y%m%dT%H%M%SZ"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Champion(BaseModel):
    """The model that serves: models/champion.json, and, as it was first promoted, models/versions/<version>/metrics.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^\d{8}T\d{6}Z$", description="UTC time of its first promotion")
    model: str = Field(description="path of the model file from the repository's root")
    sha256: str = Digest
    trained_through: date = Field(description="last day the training saw")
    train: dict[str, Any] = Field(description="the train section of params.yaml it was trained with")
    known_future: tuple[str, ...] = Field((), description="data.known_future it was trained with")
    horizon: int = Field(gt=0, description="days")
    baseline: dict[str, Any] = Field(description="BASELINE of metrics/evaluate.json: its own backtest")
    promoted_at: str = Field(description="UTC")
    promoted_by: str
    reason: str
    previous: str | None = Field(description="the version that was champion when this one first became it")

    @property
    def scored(self) -> bool:
        """Whether a backtest speaks for it; else it was promoted on a history too short for one."""
        return self.baseline.get(METRIC) is not None

    @property
    def action(self) -> str:
        """How it became champion: by promotion, or later again by rollback."""
        return "promote" if self.version == took_over_at(self) else "rollback"


def version_id(now: datetime) -> str:
    """The version that is first promoted at this UTC time."""
    return now.strftime(ID_FORMAT)


def took_over_at(champion: Champion) -> str:
    """When this champion took over, in the form of a version id: later than all ids that were then stored."""
    return version_id(datetime.strptime(champion.promoted_at, TIME_FORMAT))


def verify(content: bytes, champion: Champion) -> bytes:
    """The content, if it is the champion's model file. Unpickling runs code: nothing else may be unpickled."""
    digest = sha256(content)
    if digest != champion.sha256:
        raise UserError(f"{champion.model} is not the model that was promoted: its sha256 begins {digest[:12]}, that of version "
                        f"{champion.version} {champion.sha256[:12]}. Restore it with: dvc checkout --force {champion.model}.dvc")
    return content


def reinstated(stored: Champion, now: datetime, by: str, reason: str) -> Champion:
    """An earlier champion, again. `previous` stays what it was, so that rolling back twice goes back twice."""
    return stored.model_copy(update={"promoted_at": now.strftime(TIME_FORMAT), "promoted_by": by, "reason": reason})
