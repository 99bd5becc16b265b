"""GitHub as far as a comment on a pull request needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.json_server import JsonHandler


class Comments(JsonHandler):
    """The comments of pull request 7; the token `fork` may only read. Pages hold 100, as GitHub's do."""

    texts: list[str]

    @classmethod
    @contextmanager
    def serving(cls, texts: list[str]) -> Iterator[tuple[str, list[str]]]:
        """The API's address, and the texts of the comments as they change."""
        with cls.listening(texts=texts) as address:
            yield address, texts

    def do_GET(self) -> None:
        page = int(re.search(r"page=(\d+)$", self.path)[1])  # type: ignore[index]
        found = [{"id": n, "body": text} for n, text in enumerate(self.texts)]
        self.answer(200, found[100 * (page - 1) : 100 * page])

    def do_POST(self) -> None:
        self.change(lambda text: self.texts.append(text), "/repos/someone/demand/issues/7/comments")

    def do_PATCH(self) -> None:
        number = int(self.path.rsplit("/", 1)[1])
        self.change(lambda text: self.texts.__setitem__(number, text), f"/repos/someone/demand/issues/comments/{number}")

    def change(self, make: Any, path: str) -> None:
        assert self.path == path
        body = self.body()["body"]
        if self.headers["Authorization"] == "Bearer fork":
            return self.answer(403, {"message": "Resource not accessible by integration"})
        if self.headers["Authorization"] != "Bearer right":
            return self.answer(401, {"message": "Bad credentials"})
        make(body)
        return self.answer(200, {})
