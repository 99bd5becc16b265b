"""Request bodies within limits: of bytes, of time, of values, and of how many are parsed at once.

A parser holds the interpreter's lock, so the event loop stands still while it runs. Therefore commas, colons and brackets are
counted first, in numpy, which lets go of the lock: a body with more of them than its route can need is never parsed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

import numpy as np
from fastapi import HTTPException, Request

T = TypeVar("T")
SMALL = 20_000  # bytes of a body that is parsed without a thread, in less time than a thread takes to start
HELD = 2  # largest bodies that are held in memory at a time
READ_SECONDS = 30.0  # until a body must have arrived
CHUNK = 1 << 19  # bytes that are counted at a time
COMMA, COLON, QUOTE, BACKSLASH = b',:"\\'
OPEN_LIST, OPEN, CLOSE = b"[{}"


class Budget(NamedTuple):
    """The most that a body may have outside of its strings."""

    commas: int
    colons: int
    brackets: int  # opening ones
    keys: int  # of one object


def fits_budget(body: bytes, budget: Budget) -> bool:
    """Whether a JSON text keeps to the budget; what is in strings is left out only where it would be over."""
    if len(body) <= min(budget):
        return True
    chunks = [np.frombuffer(body, "u1", min(CHUNK, len(body) - at), at) for at in range(0, len(body), CHUNK)]
    return fits_without_strings(chunks, budget) or fits_without_strings(outside_strings(chunks), budget)


def fits_without_strings(chunks: Iterable[np.ndarray], budget: Budget) -> bool:
    """The same for a text without strings."""
    total, nesting = np.zeros(3, "i8"), []
    for chunk in chunks:
        total += count_marks(chunk)
        if (total > budget[:3]).any():
            return False
        nesting.append(chunk[(chunk == COLON) | (chunk == OPEN) | (chunk == CLOSE)].tobytes())
    return not has_wide_object(b"".join(nesting), budget.keys)


def has_wide_object(nesting: bytes, keys: int) -> bool:
    """Whether an object may have more keys, from colons and braces alone: many in a row, or many after objects that end."""
    return b":" * (keys + 1) in nesting or nesting.count(b"}:") > keys


def count_marks(text: np.ndarray) -> np.ndarray:
    """(3,) commas, colons, opening brackets."""
    counts = [np.count_nonzero(text == each) for each in (COMMA, COLON, OPEN_LIST, OPEN)]
    return np.array([*counts[:2], sum(counts[2:])])


def outside_strings(chunks: list[np.ndarray]) -> Iterator[np.ndarray]:
    """The bytes of a JSON text that are in no string, chunk by chunk."""
    inside, backslashes = False, 0  # at the end of the chunk before; the latter: 1 if it ends in an odd number of them
    for chunk in chunks:
        quotes = chunk == QUOTE
        slashes = chunk == BACKSLASH
        if backslashes or slashes.any():
            at = np.arange(len(chunk), dtype="i4")
            odd = (at - np.maximum.accumulate(np.where(slashes, np.int32(-1 - backslashes), at))) & 1
            quotes[1:] &= odd[:-1] == 0
            quotes[0] &= not backslashes
            backslashes = int(odd[-1])
        within = np.logical_xor.accumulate(quotes) ^ inside
        inside = bool(within[-1])
        yield chunk[~within]


class Bodies:
    """The bodies of one process: few large ones are held at a time, and one is parsed at a time.

    Args:
        most: bytes of one body.
    """

    def __init__(self, most: int) -> None:
        self.most, self.free = most, HELD * most
        self.turn = asyncio.Semaphore(1)

    @asynccontextmanager
    async def read(self, request: Request, most: int | None = None) -> AsyncIterator[bytes]:
        """A body of at most `most` bytes, while it is needed. Raises what `read_body` does, and 503 where too many are held."""
        most = self.most if most is None else min(most, self.most)
        size = declared_size(request, most)
        held = size if size > SMALL else 0
        if held > self.free:
            raise HTTPException(503, "too many large requests at once: try again later", headers={"Retry-After": "1"})
        self.free -= held
        try:
            yield await read_body(request, most)
        finally:
            self.free += held

    async def work(self, body: bytes, task: Callable[[], T]) -> T:
        """The result of a task on a body: in a thread, after those of other large bodies, unless it is small."""
        return task() if len(body) <= SMALL else await self.in_turn(task)

    async def in_turn(self, task: Callable[[], T]) -> T:
        """The result of a task that takes time and memory: in a thread, after others of that kind."""
        async with self.turn:
            return await asyncio.to_thread(task)


async def read_body(request: Request, most: int) -> bytes:
    """A body of at most `most` bytes. Raises 413 for a larger one, and 408 where it does not arrive in time.

    With 408 the connection is closed, as what may still come is part of that body.
    """
    declared_size(request, most)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await read_at_most(request, most)
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {READ_SECONDS:g} seconds", {"Connection": "close"}) from None


def declared_size(request: Request, most: int) -> int:
    """The bytes that a body says it has, `most` where it does not say."""
    size = int(dict(request.scope["headers"]).get(b"content-length", most))
    if size > most:
        raise too_large(most)
    return size


async def read_at_most(request: Request, most: int) -> bytes:
    """A body that may be longer than it says, or does not say how long it is."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {most:,} bytes")
