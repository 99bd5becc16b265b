"""A sales file on an HTTP server of its own, which grows."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tests.support.pipelines import FIRST, START, sales_csv
from tests.support.served import served


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Source:
    """A sales file somewhere in the net, which grows."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.through(START)

    def through(self, day: int) -> None:
        head, *rows = sales_csv().splitlines()
        last = str(FIRST + day)
        (self.place / "sales.csv").write_text("\n".join([head, *(row for row in rows if row[:10] <= last)]) + "\n")

    @contextmanager
    def served(self) -> Iterator[str]:
        with served(functools.partial(Quiet, directory=str(self.place))) as url:
            yield f"{url}/sales.csv"
