"""The model that serves, and how a newer one takes its place: computed apart, then swapped in one assignment.

Workers of one server share what is computed: whoever finds the pointer `current` changed maps the new arrays.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from api.monitoring import pipeline_facts
from api.monitoring.pipeline_facts import Pipeline
from api.precompute import fetch, workers
from api.precompute.builds import compute, prune, read_text, signature
from api.serving.served import Served
from api.settings import Settings
from workspace.secrets.redaction import redact

log = logging.getLogger("uvicorn.error")
CURRENT = "current"  # the file that names the build that is served
COMPUTED_FROM = "computed_from"  # the file with the signature of what that build was computed from
FOLLOW_SECONDS = 0.5  # between looks at the pointer
Result = Literal["loaded", "unchanged", "failed"]


@dataclass(frozen=True)
class Reload:
    """The last attempt to bring a newer model, for /ready, the log and the metrics; `at` is in seconds since 1970."""

    result: Result
    message: str
    at: float


class ModelStore:
    """Holds the `Served` of this process.

    Args:
        state: directory that the workers of one server share.
        working_tree: brings the working tree up to date and returns its path; raises on failure. Called in a thread.
        timeout: seconds for the computation.
        on_reload: called with the result of every attempt.
    """

    def __init__(self, state: Path, working_tree: Callable[[], Path], timeout: float,
                 on_reload: Callable[[Result], None]) -> None:
        self.state, self.working_tree, self.timeout, self.on_reload = state, working_tree, timeout, on_reload
        self.builds = state / "builds"
        self.served: Served | None = None
        self.pipeline = Pipeline()
        self.last_reload: Reload | None = None
        self.mapped: str | None = None
        self.builds.mkdir(parents=True, exist_ok=True)

    @classmethod
    def of(cls, settings: Settings, on_reload: Callable[[Result], None] = lambda _: None) -> ModelStore:
        """In the directory that this server's processes share."""
        state = workers.directory(settings.state_dir)
        return cls(state, partial(fetch.working_tree, settings, state), settings.build_timeout, on_reload)

    async def serve(self, poll_seconds: float) -> None:
        """Load the first model; follow the other workers, and look for a newer one every `poll_seconds`. Never returns."""
        await self.reload()
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.follow()
                if poll_seconds and time.monotonic() - looked_at >= poll_seconds:
                    await self.reload()
                    looked_at = time.monotonic()
            except Exception:
                log.exception("the watch for a newer model goes on after an error")

    async def reload(self) -> Reload:
        """Bring the newest model; whatever goes wrong, the old one goes on serving."""
        try:
            await asyncio.to_thread(self.refresh)
            changed = await self.follow()
            reload = Reload("loaded" if changed else "unchanged", "", time.time())
        except Exception as error:
            reload = Reload("failed", redact(str(error)) or type(error).__name__, time.time())
            if self.last_reload is None or self.last_reload.message != reload.message:
                serving = self.served.version if self.served else "none"
                log.error("model not reloaded, %s goes on serving: %s", serving, reload.message)
        self.last_reload = reload
        self.on_reload(reload.result)
        return reload

    async def follow(self) -> bool:
        """Map the build that the pointer names, if it is another one; any of several workers may have computed it."""
        name = self.current_build()
        if name is None or name == self.mapped:
            return False
        served = await asyncio.to_thread(Served.map, self.builds / name)
        self.served, self.mapped = served, name
        log.info("serving model %s, forecasts from %s on", served.version, next(iter(served.table.days)))
        return True

    def current_build(self) -> str | None:
        return read_text(self.state / CURRENT)

    def refresh(self) -> None:
        """Compute the newest model's forecasts, unless a worker has, and point to them; one worker at a time."""
        with (self.state / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tree = self.working_tree()
            self.pipeline = pipeline_facts.read(tree)
            newest = repr(signature(tree))
            if self.current_build() and newest == read_text(self.state / COMPUTED_FROM):
                return
            build = compute(tree, self.builds, self.timeout, polite=self.served is not None)
            self.point_to(build.name)
            (self.state / COMPUTED_FROM).write_text(newest)

    def point_to(self, name: str) -> None:
        """Have all workers serve a build; older ones are removed."""
        if name != self.current_build():
            part = self.state / f"{CURRENT}.part"
            part.write_text(name)
            os.replace(part, self.state / CURRENT)
            prune(self.builds, name)
