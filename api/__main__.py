"""`python -m api`: uvicorn with HOST, PORT and WORKERS of the environment, and limits for slow and hostile connections."""

from __future__ import annotations

import uvicorn

from api.connections import MOST_CONNECTIONS, LimitedHttp
from api.settings import Settings
from workspace.run.command import run_command
from workspace.secrets.settings import load_settings


def main() -> None:
    settings = load_settings(Settings)
    uvicorn.run("api.app:app", host=settings.host, port=settings.port, workers=settings.workers, access_log=False,
                http=LimitedHttp, ws="none", limit_concurrency=MOST_CONNECTIONS)


if __name__ == "__main__":
    run_command(main)
