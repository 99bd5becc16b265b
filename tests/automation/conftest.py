"""What the tests of the automation share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import s3


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """Of a real S3 server, None where there is none."""
    with s3.server(tmp_path_factory.mktemp("s3")) as found:
        yield found
