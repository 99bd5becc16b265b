"""A real S3 server for the tests: moto's, with its authentication on, or the one that S3_ENDPOINT names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

SETTINGS = ("S3_ENDPOINT", "S3_KEY", "S3_SECRET", "S3_BUCKET")  # of another server, all four
SECONDS = 60  # to start in


@dataclass(frozen=True)
class Server:
    """An S3 server with a bucket in it, and the credentials that open it."""

    endpoint: str
    key: str
    secret: str
    bucket: str

    def credentials(self) -> dict[str, str]:
        """As environment variables."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}

    def wrong(self) -> dict[str, str]:
        """Credentials that it has to refuse."""
        return self.credentials() | {"AWS_SECRET_ACCESS_KEY": "wrong"}


@contextmanager
def running(place: Path) -> Iterator[Server]:
    """The server that the environment names, or one of our own on a free port while the block runs; its log is in `place`."""
    if os.environ.get("S3_ENDPOINT"):
        assert all(map(os.environ.get, SETTINGS)), f"another S3 server is named by all of {', '.join(SETTINGS)}"
        yield Server(*(os.environ[name] for name in SETTINGS))
        return
    log, environment = place / "moto.log", os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(len(SETUP))}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
        process = subprocess.Popen(command, cwd=place, env=environment, stdout=output, stderr=output)
    try:
        yield set_up(address(process, log))
    finally:
        process.kill()
        process.wait()


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where the server listens, as it says in its log."""
    end = time.monotonic() + SECONDS
    while not (found := re.search(r"Running on (http://[\d.:]+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, f"moto's server did not start within {SECONDS} s: {log.read_text()}"
        time.sleep(0.05)
    return found[1]


# The requests that moto answers without a signature; it verifies those that follow.
ALL_OF_S3 = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
SETUP: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("s3", "create_bucket", {"Bucket": "dvc"}),
    ("iam", "create_user", {"UserName": "tester"}),
    ("iam", "put_user_policy", {"UserName": "tester", "PolicyName": "s3", "PolicyDocument": ALL_OF_S3}),
    ("iam", "create_access_key", {"UserName": "tester"}))


def set_up(endpoint: str) -> Server:
    """Make the bucket and its user."""
    for service, action, arguments in SETUP:
        client = boto3.client(service, "us-east-1", endpoint_url=endpoint, aws_access_key_id="-", aws_secret_access_key="-")
        answer = getattr(client, action)(**arguments)
    return Server(endpoint, answer["AccessKey"]["AccessKeyId"], answer["AccessKey"]["SecretAccessKey"], "dvc")
