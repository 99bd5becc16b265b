"""`python -m api`: uvicorn with HOST, PORT and WORKERS of the environment."""

from __future__ import annotations

import contextlib
import threading

from pydantic import ValidationError

from api.settings import Settings
from demand.schema.errors import UserError
from workspace.run.command import run_command


def head_start(settings: Settings) -> None:
    """Compute the first model's forecasts while the server is being imported; what goes wrong, it will tell itself."""
    from api.serving.model_store import ModelStore

    with contextlib.suppress(Exception):
        ModelStore.of(settings).refresh()


def main() -> None:
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = (f"{''.join(map(str, problem['loc'])).upper()} {problem['msg']}".strip() for problem in error.errors())
        raise UserError(f"settings of the environment or of .env: {'; '.join(wrong)}") from None
    threading.Thread(target=head_start, args=(settings,), daemon=True).start()
    import uvicorn

    uvicorn.run("api.app:app", host=settings.host, port=settings.port, workers=settings.workers, access_log=False)


if __name__ == "__main__":
    run_command(main)
