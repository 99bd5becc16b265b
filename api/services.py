"""What routes work with; the app holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from fastapi import HTTPException, Request

from api.limits import Bodies
from api.monitoring.telemetry import Telemetry
from api.serving.model_store import ModelStore
from api.serving.served import Served
from api.settings import Settings


@dataclass(frozen=True)
class Services:
    """The parts of one app.

    Attributes:
        explaining: one explanation is computed at a time, which bounds memory and leaves the threads to other requests.
    """

    settings: Settings
    store: ModelStore
    telemetry: Telemetry
    bodies: Bodies
    key: bytes | None
    explaining: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @classmethod
    def of(cls, settings: Settings, store: ModelStore, telemetry: Telemetry) -> Services:
        key = settings.api_key.get_secret_value().encode("latin-1") if settings.api_key else None
        return cls(settings, store, telemetry, Bodies(settings.max_body_bytes), key)

    def serving_model(self) -> Served:
        """The model that serves; a request asks once, so that no answer mixes two. Raises 503 while there is none."""
        if self.store.served is None:
            last = self.store.last_reload
            raise HTTPException(503, f"no model is loaded: {last.message if last else 'it is being loaded'}")
        return self.store.served


def services(request: Request) -> Services:
    """Those of the app that a request came to."""
    state: Services = request.app.state.services
    return state
