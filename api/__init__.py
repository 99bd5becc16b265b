"""The forecast API: `uvicorn api.app:app`."""
