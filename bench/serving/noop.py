"""The least that FastAPI can do with a typed body: what the API's speed is held against."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Query(BaseModel):
    store: int
    item: int
    date: str


@app.post("/predict")
async def predict(query: Query) -> dict[str, float]:  # noqa: ARG001
    return {"predicted_sales": 1.0}


@app.get("/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}
