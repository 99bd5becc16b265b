"""What several tests of stages share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sales_files import Run, stage_runner


@pytest.fixture
def stage(project: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> Run:
    return stage_runner(project, capsys)
