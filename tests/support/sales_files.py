"""Sales files, and the prepare stage run on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from demand.cleaning.cleaning_report import prepare
from demand.panel.panel import Panel
from stages import prepare as prepare_stage
from tests.support.examples import PARAMS
from workspace.run import paths
from workspace.run.all_params import Params, parse_params
from workspace.run.command import run_command

HEADER = "date,store,item,sales"


def lines(days: int = 30, store: str = "1", item: str = "1", first: str = "2024-01-01", level: int = 20) -> list[str]:
    """A plain series, one line per day."""
    dates = np.datetime64(first) + np.arange(days)
    return [f"{date},{store},{item},{level + day % 7}" for day, date in enumerate(dates)]


def text(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def planned(days: int = 30, future: int = 10) -> list[str]:
    """A plain series with the columns promo and open, and rows for the days to come."""
    dates = np.datetime64("2024-01-01") + np.arange(days + future)
    return [f"{date},1,1,{20 if day < days else ''},{day % 2},1" for day, date in enumerate(dates)]


def params(horizon: int = 1, **data: object) -> Params:
    """The repository's parameters with another horizon and data."""
    sections = {"data": {**PARAMS["data"], **data}, "forecast": {**PARAMS["forecast"], "horizon": horizon}}
    return parse_params({**PARAMS, **sections})


PLANNED_HEADER = HEADER + ",promo,open"
PLANNED = {"data.known_future": ["promo", "open"], "forecast.horizon": 10}


Run = Callable[..., tuple[int, str, dict]]


def stage_runner(project: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the stage in-process on a source's content: exit code, stderr, metrics."""

    def run(content: str | bytes | None, changes: dict | None = None) -> tuple[int, str, dict]:
        root = project({"data.source": "sales.csv", "forecast.horizon": 5, **(changes or {})})
        if content is not None:
            (root / "sales.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        capsys.readouterr()
        try:
            run_command(prepare_stage.main)
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        metrics = root / paths.PREPARE_METRICS
        return code, capsys.readouterr().err, json.loads(metrics.read_text()) if metrics.exists() else {}

    return run


def cleaned() -> pa.Table:
    return parquet.read_table(paths.CLEANED)


def prepare_with(data: pa.Buffer, settings: Params) -> tuple[Panel, dict[str, Any]]:
    return prepare(data, settings.data, settings.prepare, settings.forecast.horizon)
