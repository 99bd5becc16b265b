"""What serves: one model, the data it forecasts from, and all its forecasts, mapped from what precompute wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from api.serving.lookup_table import LookupTable
from api.serving.sum_table import SumTable
from api.serving.whatif import WhatIf
from demand.model.base.level import GlobalLevel
from demand.model.demand_model import DemandModel
from demand.panel.attributes import Attributes
from demand.panel.store_events import StoreEvents

ARRAYS = ("values", "points", "sales", "status", "known", "closing", "trades")  # NAME.npy of a build


@dataclass(frozen=True)
class Served:
    """Immutable: a request takes it once, so that no answer mixes two models.

    Attributes:
        facts: what GET /model answers.
    """

    facts: dict[str, Any]
    table: LookupTable
    sums: SumTable
    whatif: WhatIf

    @property
    def version(self) -> str:
        return str(self.facts["model_version"])

    @property
    def origin(self) -> str:
        """The last day whose sales are known."""
        return str(self.facts["forecast_origin"])

    @classmethod
    def map(cls, build: Path) -> Served:
        """Map the directory that api.precompute.build wrote."""
        facts = json.loads((build / "facts.json").read_bytes())
        store, item, first_day = facts.pop("store"), facts.pop("item"), np.datetime64(facts.pop("first_day"))
        events, attributes = (facts.pop(name, None) for name in ("events", "attributes"))
        arrays = {name: np.load(build / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        origin = np.datetime64(facts["forecast_origin"])
        table = LookupTable.of(np.asarray(arrays.pop("values")), store, item, origin)
        points = np.asarray(arrays.pop("points"))
        dates = first_day + np.arange(arrays["sales"].shape[1])
        whatif = WhatIf(
            model=load_model(build / "model.bin"), pool=GlobalLevel(*facts.pop("pool")),
            store=id_array(store), item=id_array(item), dates=dates, origin=int(np.searchsorted(dates, origin)),
            known_names=tuple(facts["known_future"]),
            events=StoreEvents.from_json(events) if events else None,
            attributes=Attributes.from_json(attributes) if attributes else None, **arrays)
        return cls(facts, table, SumTable.of(whatif.model.joint_error, points, store, item), whatif)


def load_model(path: Path) -> DemandModel:
    """With one thread: ninety rows are done before threads meet, and requests are the parallel part here."""
    model = DemandModel.from_bytes(path.read_bytes())
    model.use_threads(1)
    return model


def id_array(values: list[Any]) -> np.ndarray:
    """Ids as a panel has them: int64, or str objects."""
    return np.array(values) if isinstance(values[0], int) else np.array(values, object)
