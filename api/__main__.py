"""`python -m api`: uvicorn with HOST, PORT and WORKERS of the environment."""

from __future__ import annotations

import contextlib
import threading

from api.settings import Settings
from workspace.run.command import run_command
from workspace.run.settings import load_settings


def head_start(settings: Settings) -> None:
    """Compute the first model's forecasts while the server is being imported; what goes wrong, it will tell itself."""
    from api.serving.model_store import ModelStore

    with contextlib.suppress(Exception):
        ModelStore.of(settings).refresh()


def main() -> None:
    settings = load_settings(Settings)
    threading.Thread(target=head_start, args=(settings,), daemon=True).start()
    import uvicorn

    uvicorn.run("api.app:app", host=settings.host, port=settings.port, workers=settings.workers, access_log=False)


if __name__ == "__main__":
    run_command(main)
