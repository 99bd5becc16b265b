"""A real S3 server for the tests: that of S3_ENDPOINT, or one that the shared tools start (Debian, root)."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples import ROOT

TOOL = ROOT.parent / "shared/tools/s3-server.sh"
KEY, SECRET, BUCKET = "test:tester", "testing123", "dvc"  # as the tool sets it up


@contextmanager
def server(place: Path) -> Iterator[str | None]:
    """Its endpoint; None where there is none and none can be started. One at a time: some of the tool's ports are fixed."""
    if "S3_ENDPOINT" in os.environ:
        yield os.environ["S3_ENDPOINT"]
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"S3_TEST_PORT": str(port), "S3_TEST_DIR": str(place)}
    with (Path(tempfile.gettempdir()) / "s3-for-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from started(environment, port)


def started(environment: dict[str, str], port: int) -> Iterator[str | None]:
    """Start the tool's server, and stop it again."""
    try:
        done = subprocess.run(["bash", str(TOOL), "start"], env=environment, capture_output=True, timeout=300, check=False)
        yield f"http://127.0.0.1:{port}" if done.returncode == 0 else None
    finally:
        if TOOL.exists():
            subprocess.run(["bash", str(TOOL), "stop"], env=environment, capture_output=True, check=False)
