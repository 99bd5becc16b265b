"""Keeps secrets out of what a process prints and logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from workspace.secrets.redaction import redact


class RedactedStream:
    """A text stream that redacts what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def redacted_output() -> Iterator[None]:
    """Redact whatever is printed in the block, warnings and tracebacks included."""
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = RedactedStream(kept[0]), RedactedStream(kept[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


def redact_logs() -> None:
    """Redact the messages and tracebacks of all loggers of this process."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return
    def redacted(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = make(*arguments, **more)
        if isinstance(record.args, tuple):
            record.args = tuple(redact(value) if isinstance(value, str) else value for value in record.args)
        message = record.getMessage()
        if redact(message) != message:
            record.msg, record.args = redact(message), ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return record

    redacted.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacted)
