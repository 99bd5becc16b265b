"""`python -m api`: uvicorn with HOST, PORT and WORKERS of the environment, and limits for slow and hostile connections."""

from __future__ import annotations

import uvicorn
from pydantic import ValidationError

from api.connections import MOST_CONNECTIONS, LimitedHttp
from api.settings import Settings
from demand.schema.errors import UserError
from workspace.run.command import run_command


def main() -> None:
    try:
        settings = Settings()
    except ValidationError as error:
        problems = (f"{''.join(map(str, problem['loc'])).upper()} {problem['msg']}".strip() for problem in error.errors())
        raise UserError(f"settings of the environment or of .env: {'; '.join(problems)}") from None
    uvicorn.run("api.app:app", host=settings.host, port=settings.port, workers=settings.workers, access_log=False,
                http=LimitedHttp, ws="none", limit_concurrency=MOST_CONNECTIONS)


if __name__ == "__main__":
    run_command(main)
