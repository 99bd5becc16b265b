"""A real S3 server for the tests: that of S3_ENDPOINT, or one that the shared tools start (Debian, root)."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples import ROOT

TOOL = ROOT.parent / "shared/tools/s3-server.sh"
KEY, SECRET, BUCKET = "test:tester", "testing123", "dvc"  # as the tool sets it up


@contextmanager
def server(place: Path) -> Iterator[str | None]:
    """Its endpoint; None where there is none and none can be started."""
    if "S3_ENDPOINT" in os.environ:
        yield os.environ["S3_ENDPOINT"]
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"S3_TEST_PORT": str(port), "S3_TEST_DIR": str(place)}
    try:
        started = subprocess.run(["bash", str(TOOL), "start"], env=environment, capture_output=True, timeout=300, check=False)
        yield f"http://127.0.0.1:{port}" if started.returncode == 0 else None
    finally:
        if TOOL.exists():
            subprocess.run(["bash", str(TOOL), "stop"], env=environment, capture_output=True, check=False)
