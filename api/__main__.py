"""`python -m api`: uvicorn with HOST, PORT and WORKERS of the environment."""

import uvicorn

from api.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    uvicorn.run("api.app:app", host=settings.host, port=settings.port, workers=settings.workers, access_log=False)
