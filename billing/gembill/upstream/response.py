"""An answer of the upstream as it comes in: the reader's side of an exchange.

Owns: the pieces that wait for the reader, the head, and the news that it ended or failed. Not here: sockets and framing
(`connection`). Invariant: what came is handed out in order and whole before its end or error is reported, and an answer
that broke off never looks like one that ended.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from gembill.errors import UpstreamCut, UpstreamError


class ResponseHead(msgspec.Struct, frozen=True):
    """The head of an answer.

    `headers` in the order and case received; `length` is the stated Content-Length, None when the body is chunked or
    ends with the connection. A HEAD, 204 or 304 may state a length, and has no body all the same.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    length: int | None
    http_version: str


class Feed(Protocol):
    """Where the pieces come from."""

    def resume(self) -> None:
        """The reader has made room."""

    def drop(self) -> None:
        """The reader wants no more."""

    def write(self, data: bytes) -> None:
        """The reader says something, after a 101."""

    async def drain(self) -> None:
        """Wait until what was said has left."""


class Response:
    """An answer as it comes in; made by `UpstreamConnection.begin`, read by one task.

    `head` is there once `began`. `stale`: it failed in the way of a connection that the server had closed before, and
    nothing is lost by asking again. `retried`: times that a request which may cost money was sent before.
    Readers call `abort` in a `finally`; after the end it does nothing.
    """

    __slots__ = (
        "_feed", "_loop", "_waiter", "began", "buffered", "ended", "error", "head", "interrupt", "interrupted",
        "pieces", "retried", "stale",
    )  # fmt: skip

    head: ResponseHead

    def __init__(self, feed: Feed, loop: asyncio.AbstractEventLoop) -> None:
        self._feed: Feed | None = feed
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self.began = self.ended = self.stale = self.interrupted = False
        self.buffered = 0
        self.pieces: list[bytes] = []
        self.error: UpstreamError | None = None
        self.interrupt: Callable[[], object] | None = None
        self.retried = 0

    @property
    def outcome_known(self) -> bool:
        """True once sending more of the request is pointless: the answer began, or failed."""
        return self.began or self.error is not None

    async def started(self) -> None:
        """Wait for the head. Raises the `UpstreamError` that came instead."""
        while not self.began:
            if self.error is not None:
                raise self.error
            await self._news()

    async def read(self) -> bytes:
        """Return what has come since the last read, waiting only when that is nothing; b"" at the end.

        Raises `UpstreamCut` when the answer broke off, after all that came before. A cancelled read aborts the answer.
        """
        pieces = self.pieces
        while not pieces:
            if self.ended:
                return b""
            if self.error is not None:
                raise self.error
            try:
                await self._news()
            except asyncio.CancelledError:
                self.abort()
                raise
        taken = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.buffered = 0
        if self._feed is not None:
            self._feed.resume()
        return taken

    async def say(self, data: bytes) -> None:
        """After a 101: send bytes on the connection, and wait while it takes no more. Once it is over, nothing."""
        if self._feed is not None:
            self._feed.write(data)
            await self._feed.drain()

    def abort(self) -> None:
        """Give up what has not come yet, closing the connection; what has come is forgotten too."""
        feed, self._feed = self._feed, None
        if feed is not None:
            self.error = UpstreamCut("The answer was given up by its reader before its end.")
            self.pieces.clear()
            feed.drop()
            self.wake()

    def begin(self, head: ResponseHead) -> None:
        """Take the head; called by the connection, as are the methods below."""
        self.head = head
        self.began = True
        self._interrupt()

    def end(self) -> None:
        """The framing came to its end."""
        self._feed = None
        self.ended = True
        self.wake()

    def fail(self, error: UpstreamError, *, stale: bool) -> None:
        """Nothing more will come. A stale failure lets the sender keep the piece it waits for, to send it again."""
        self._feed = None
        self.error = error
        self.stale = stale
        if not stale:
            self._interrupt()
        self.wake()

    def wake(self) -> None:
        """Let the waiting reader look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _interrupt(self) -> None:
        if self.interrupt is not None and not self.interrupted:
            self.interrupted = True
            self.interrupt()

    def _news(self) -> asyncio.Future[None]:
        """What comes true at the next `wake`."""
        self._waiter = self._loop.create_future()
        return self._waiter
