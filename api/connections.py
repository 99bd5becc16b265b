"""HTTP connections with the limits that uvicorn has no settings for: how large a request's head is, and how long it takes."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 65_536  # of the request line and the headers together, to within one read from the socket
HEAD_SECONDS = 10.0  # from the first byte of a request, or the start of a connection, until its headers have arrived
MOST_CONNECTIONS = 500  # of one worker; further requests get 503


class LimitedHttp(HttpToolsProtocol):
    """uvicorn's protocol. A connection is closed where a head is too large (431) or too slow, or only line breaks arrive.

    What still arrives after an early answer, such as the rest of a body that is too large, counts as the next head.
    """

    deadline: asyncio.TimerHandle | None = None
    in_head = False
    head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.head_arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = True

    def on_headers_complete(self) -> None:
        self.in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.in_head:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES:
                self.refuse_head()
            self.await_head()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.head_arrived()
        else:
            self.await_head()

    def await_head(self) -> None:
        """Close the connection unless headers arrive in time; what arrives meanwhile prolongs nothing."""
        if self.deadline is None and not self.transport.is_closing():
            self.deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def head_arrived(self) -> None:
        self.head_bytes = 0
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def refuse_head(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()
