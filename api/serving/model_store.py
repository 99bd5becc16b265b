"""The model that serves, and how a newer one takes its place: computed apart, then swapped in one assignment.

Everything an answer is made of hangs on one immutable `Served`; a request takes it once, so no answer mixes versions. Workers
of one server share what is computed: whoever finds the pointer `current` changed maps the new arrays.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from api.monitoring import pipeline_facts
from api.monitoring.pipeline_facts import Pipeline
from api.precompute import fetch, workers
from api.precompute.builds import compute, prune, read_text, signature
from api.serving.forecast_table import Table
from api.settings import Settings
from workspace.run.redaction import redact

if TYPE_CHECKING:
    from api.serving.whatif import WhatIf

log = logging.getLogger("uvicorn.error")
CURRENT = "current"  # the file that names the directory that is served
SEEN = "seen"  # the file that tells what that was computed from
WATCH_SECONDS = 0.5  # between looks at it
Result = Literal["loaded", "unchanged", "failed"]


@dataclass(frozen=True)
class Served:
    """One model, the data it forecasts from, and all its forecasts."""

    facts: dict[str, Any]
    table: Table
    whatif: WhatIf

    @property
    def version(self) -> str:
        return str(self.facts["model_version"])

    @classmethod
    def map(cls, built: Path) -> Served:
        """Map what build wrote."""
        from api.serving.whatif import WhatIf
        from demand.model.base.level import GlobalLevel
        from demand.model.demand_model import DemandModel

        facts = json.loads((built / "facts.json").read_bytes())
        store, item, first = facts.pop("store"), facts.pop("item"), np.datetime64(facts.pop("first_day"))
        names = ("values", "sales", "status", "known", "closing")
        arrays = {name: np.load(built / f"{name}.npy", mmap_mode="r") for name in names}
        origin = np.datetime64(facts["forecast_origin"])
        model = DemandModel.from_bytes((built / "model.bin").read_bytes())
        model.trees.use_threads(1)  # ninety rows are done before threads meet; requests are the parallel part here
        values = np.asarray(arrays.pop("values"))
        dates = first + np.arange(arrays["sales"].shape[1])
        whatif = WhatIf(model, GlobalLevel(*facts.pop("pool")), ids(store), ids(item), dates,
                        int((origin - first) / np.timedelta64(1, "D")), tuple(facts["known_future"]), **arrays)
        return cls(facts, Table.of(values, store, item, origin), whatif)


@dataclass(frozen=True)
class Reload:
    """The last attempt, for /ready, the log and the metrics; `at` is in seconds since 1970."""

    result: Result
    message: str
    at: float


class ModelStore:
    """Holds the `Served` of this process.

    Args:
        state: directory that the workers of one server share.
        source: brings the working tree up to date and returns its path; raises on failure. Called in a thread.
        timeout: seconds for the computation.
        on_reload: is told the result of every attempt.
    """

    def __init__(self, state: Path, source: Callable[[], Path], timeout: float, on_reload: Callable[[Result], None]) -> None:
        self.state, self.source, self.timeout, self.on_reload = state, source, timeout, on_reload
        self.served: Served | None = None
        self.pipeline = Pipeline()
        self.last: Reload | None = None
        self.mapped: str | None = None
        (state / "builds").mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, settings: Settings, on_reload: Callable[[Result], None] = lambda _: None) -> ModelStore:
        """In the directory that this server's processes share."""
        state = workers.directory(settings.state_dir)
        return cls(state, partial(fetch.project, settings, state), settings.build_timeout, on_reload)

    async def reload(self) -> Reload:
        """Bring the newest model; whatever goes wrong, the old one goes on serving."""
        try:
            if self.served is None:
                asyncio.get_running_loop().run_in_executor(None, prepare)
            await asyncio.to_thread(self.refresh)
            changed = await self.follow()
            self.last = Reload("loaded" if changed else "unchanged", "", time.time())
        except Exception as error:
            message = redact(str(error)) or type(error).__name__
            if self.last is None or self.last.message != message:
                log.error("model not reloaded, %s goes on serving: %s", self.served.version if self.served else "none", message)
            self.last = Reload("failed", message, time.time())
        self.on_reload(self.last.result)
        return self.last

    async def follow(self) -> bool:
        """Map what the pointer names, if that is new; one of several workers may have computed it."""
        name = self.pointed()
        if name is None or name == self.mapped:
            return False
        served = await asyncio.to_thread(Served.map, self.state / "builds" / name)
        self.served, self.mapped = served, name
        log.info("serving model %s, forecasts from %s on", served.version, next(iter(served.table.days)))
        return True

    def pointed(self) -> str | None:
        return read_text(self.state / CURRENT)

    def refresh(self) -> None:
        """Compute the newest model's forecasts where no worker has yet, and point to them."""
        with (self.state / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            project = self.source()
            self.pipeline = pipeline_facts.read(project)
            seen = repr(signature(project))
            if self.pointed() and seen == read_text(self.state / SEEN):
                return
            built = compute(project, self.state / "builds", self.timeout, polite=self.served is not None)
            if built.name != self.pointed():
                part = self.state / f"{CURRENT}.part"
                part.write_text(built.name)
                os.replace(part, self.state / CURRENT)
                prune(self.state / "builds", built.name)
            (self.state / SEEN).write_text(seen)

    async def watch(self, poll_seconds: float) -> None:
        """Follow the other workers, and look for a newer model every `poll_seconds`; never returns."""
        looked = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.follow()
                if poll_seconds and time.monotonic() - looked >= poll_seconds:
                    await self.reload()
                    looked = time.monotonic()
            except Exception:
                log.exception("the watch for a newer model goes on after an error")


def prepare() -> None:
    """Import what a model needs: a second's work that can be done before there is one."""
    from api.serving import whatif  # noqa: F401
    from demand.model.trees.boosted_trees import xgboost

    xgboost()


def ids(values: list[Any]) -> np.ndarray:
    """Ids as a panel has them: int64, or str objects."""
    return np.array(values) if isinstance(values[0], int) else np.array(values, object)
