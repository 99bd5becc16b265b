"""What the tests of the automation share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import s3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    """A real S3 server, which refuses wrong credentials."""
    with s3.running(tmp_path_factory.mktemp("s3")) as server:
        yield server
