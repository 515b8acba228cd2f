"""One connection to the upstream and the answer that it is receiving.

Owns: the framing of answers (HTTP/1.1, RFC 9112), back-pressure both ways, one deadline, and the verdict whether the
connection may be used again. Not here: the pool (`client`), the request's bytes (`request`), the reader's side of an
answer (`response`), and the content of bodies.
Invariant: a connection becomes idle only after the end of an answer's framing, with the request wholly sent,
nothing left over and keep-alive allowed; in every other case it is closed at once.

A plain `asyncio.Protocol` and no stream reader, because that costs a sixth of a library client (`performance.md` 1.1).
"""

import asyncio
import socket
from dataclasses import dataclass
from math import inf
from typing import Protocol, cast

import httptools

from gembill.errors import UpstreamCut, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from gembill.upstream.response import Response, ResponseHead
from gembill.upstream.wire_state import acknowledged, news_of

HEAD_BYTES = 64 * 1024  # largest head of an answer, and most framing (chunk sizes, trailers) without a body byte
HEAD_FIELDS = 256  # most header fields of an answer
OVERSIZE = f"its head, or its framing between two body bytes, is over {HEAD_BYTES} bytes"
KEEPALIVE_S = 60  # a thinking model is silent for minutes; address translators forget silent connections after four


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, and how much, in bytes, an exchange may take.

    `answer_s` runs from the last byte of the request to the whole head of the answer; `idle_s` between two pieces of a
    body, either way, while we are the ones who wait. `stale_s` is how soon after its start a request on a used
    connection must have failed to count as "the server had closed it": a later failure may be a paid call.
    """

    connect_s: float = 10.0
    answer_s: float = 600.0
    idle_s: float = 300.0
    pool_idle_s: float = 30.0
    stale_s: float = 5.0
    max_idle: int = 64
    max_buffer: int = 256 * 1024
    replay_bytes: int = 1024 * 1024


class Owner(Protocol):
    """Whoever keeps a connection, and hears of its life."""

    def opened(self, connection: "UpstreamConnection") -> None:
        """It is connected."""

    def became_idle(self, connection: "UpstreamConnection") -> None:
        """Its answer ended cleanly; it may be used again."""

    def lost(self, connection: "UpstreamConnection") -> None:
        """It is closed for good."""


class UpstreamConnection(asyncio.Protocol):
    """One connection, one exchange at a time: `begin`, `write`..., `sent`, and the answer is filled as it comes.

    `deadline` is on the loop's clock: past it the owner calls `expire`. `reused`: an answer has ended on it before.
    """

    __slots__ = (
        "_acknowledged", "_answer", "_bodiless", "_complete", "_drain", "_framing_bytes", "_has_bytes", "_headers",
        "_idempotent", "_keep", "_limits", "_loop", "_name", "_news", "_owner", "_parser", "_reading", "_sent",
        "_since", "_switched", "_transport", "_unread", "_until_close", "_upgrade", "_violation", "alive", "deadline",
        "paused", "reused",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, owner: Owner, name: str, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._name = name
        self._limits = limits
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._answer: Response | None = None
        self._drain: asyncio.Future[None] | None = None
        self._reading = True
        self.alive = self.paused = self.reused = False
        self.deadline = inf
        self._reset()

    def _reset(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._framing_bytes = 0  # bytes of framing since the last byte of a body
        self._violation: str | None = None
        self._upgrade = self._switched = False  # whether the request offers to switch protocols; whether the API did
        self._bodiless = self._complete = self._has_bytes = self._keep = self._sent = self._until_close = False
        self._idempotent = self._unread = False  # whether it does no harm to send it twice; whether none of it arrived
        self._acknowledged: int | None = None  # before the request left
        self._since = 0.0

    # --- the exchange, called by the owner -------------------------------------------------------------------------

    def begin(self, *, bodiless: bool, upgrade: bool = False, idempotent: bool = False) -> Response:
        """Start an exchange; `bodiless` when the method is HEAD, whose answer has no body whatever its head says.

        With `upgrade` the answer may be a 101: its body is then what comes on the connection until that closes.
        `idempotent` requests may reach the API twice (RFC 9110 9.2.2).
        """
        self._bodiless = bodiless
        self._idempotent = idempotent
        self._acknowledged = acknowledged(self._transport) if self.reused and not idempotent else None
        self._upgrade = upgrade
        self._since = self._loop.time()
        self.deadline = inf
        self._answer = answer = Response(self, self._loop)
        return answer

    def write(self, data: bytes | memoryview) -> None:
        """Send a part of the request; wait for `drain` when `paused` afterwards."""
        if self.alive:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the upstream takes more, or the answer has begun or failed."""
        if self.paused and self.alive:
            self._drain = self._loop.create_future()
            self.deadline = self._loop.time() + self._limits.idle_s
            try:
                await self._drain
            finally:
                self._drain = None
                if self._answer is None or not self._answer.began or self._switched:
                    self.deadline = inf

    def sent(self) -> None:
        """The request is complete; the answer's time runs."""
        self._sent = True
        if self._answer is not None and not self._answer.began:
            self.deadline = self._loop.time() + self._limits.answer_s

    def resume(self) -> None:
        """Read on, after the reader made room."""
        if not self._reading and self.alive:
            self._reading = True
            self.deadline = self._in_time
            self._transport.resume_reading()

    @property
    def usable(self) -> bool:
        """Whether an idle connection is still up, its time is not over, and nothing came on it."""
        return self.alive and self.deadline > self._loop.time() and not self._news(0)

    def drop(self) -> None:
        """Close at once, whatever is under way, without a word to the answer."""
        self._answer = None
        self._release_drain()
        if self.alive:
            self.alive = False
            self._transport.abort()

    def expire(self) -> None:
        """The deadline has passed."""
        answer, limits = self._answer, self._limits
        if answer is not None and answer.began:
            self.fail(UpstreamCut(f"{self._name} sent nothing more of its answer for {limits.idle_s:g} s."))
        elif self._has_bytes:
            self.fail(UpstreamCut(f"{self._name} did not finish the head of its answer in {limits.answer_s:g} s."))
        elif self._sent:
            self.fail(UpstreamTimeout(f"{self._name} did not begin to answer within {limits.answer_s:g} s."))
        else:
            self.fail(UpstreamTimeout(f"{self._name} took nothing more of the request for {limits.idle_s:g} s."))

    def fail(self, error: UpstreamError) -> None:
        """End the exchange with an error, and the connection; an idle one has no exchange."""
        answer = self._answer
        self.drop()
        if answer is not None:
            soon = self._loop.time() - self._since < self._limits.stale_s
            closed = isinstance(error, UpstreamUnreachable)
            harmless = self._idempotent or not self._sent or self._unread
            answer.fail(error, stale=closed and soon and self.reused and not self._has_bytes and harmless)

    # --- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket up."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.alive = True
        self._transport.set_write_buffer_limits(high=self._limits.max_buffer)
        self._news = news_of(transport)
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse; bytes that no request asked for end the connection."""
        answer = self._answer
        if answer is None:
            self.drop()
            return
        self._has_bytes = True
        self._framing_bytes += len(data)
        if self._switched:
            self._framing_bytes = 0
            answer.pieces.append(data)
        else:
            self._parse(answer, data)
        if self._complete:
            self._finish(answer)
        elif self._violation is not None or self._framing_bytes > HEAD_BYTES:
            self.fail(UpstreamCut(f"{self._name} sent an answer we cannot frame: {self._violation or OVERSIZE}."))
        elif answer.began:
            self._received(answer, len(data))

    def eof_received(self) -> None:
        """Take the end as it is: without this, asyncio would first flush a request that nobody reads.

        The end confirms all that had arrived. Where that is nothing of this request, the API cannot have read it.
        """
        if self.alive:
            before = self._acknowledged
            self._unread = before is not None and before == acknowledged(self._transport)
            self._closed(clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the reader, the sender and the owner know."""
        self._closed(clean=exc is None)
        self.alive = False
        del self._parser  # it holds our bound methods: without the cycle, memory is freed at once
        self._owner.lost(self)

    def pause_writing(self) -> None:
        """The send buffer is full."""
        self.paused = True

    def resume_writing(self) -> None:
        """The send buffer has room."""
        self.paused = False
        self._release_drain()

    # --- httptools callbacks ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A second answer where one was asked for is left-over junk."""
        if self._complete:
            self._violation = "more than one answer"

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect the head; fields after it are trailers, which we ignore."""
        if self._answer is not None and not self._answer.began:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Judge the head: skip interim answers, refuse what cannot be framed, hand out the rest."""
        parser, answer, headers = self._parser, self._answer, self._headers
        if self._complete or answer is None:
            return
        status, version = parser.get_status_code(), parser.get_http_version()
        length, coding = _framing(headers)
        self._violation = self._violation or _violation(version, headers, coding, self._framing_bytes)
        if status == 101 and not self._upgrade:
            self._violation = "it switches protocols, which nobody asked for"
        self._headers = []
        self._switched = status == 101 and self._violation is None
        if self._violation is not None or (status < 200 and not self._switched):
            return
        self._framing_bytes = 0
        self._keep = parser.should_keep_alive() and not self._switched
        self._bodiless = self._bodiless or status in {204, 304}
        self._until_close = self._switched or (not self._bodiless and length is None and coding is None)
        answer.begin(ResponseHead(status, headers, length, version))
        if self._drain is not None:
            self._release_drain()
        self._complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keep a piece for the reader; a body after a bodiless head is junk."""
        if self._complete or self._answer is None:
            self._violation = "a body where there is none"
            return
        self._framing_bytes = 0
        self._answer.pieces.append(body)

    def on_message_complete(self) -> None:
        """The end of the framing, unless it is that of an interim answer."""
        if self._answer is not None and self._answer.began and not self._switched:
            self._complete = True

    def _parse(self, answer: Response, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switched:
            if not self._switched:
                self._violation = self._violation or str(switched)
            elif rest := data[switched.args[0] :]:
                answer.pieces.append(rest)
        except httptools.HttpParserError as error:
            self._violation = self._violation or str(error)

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def _in_time(self) -> float:
        """Until when the next piece has to come; a conversation may be silent for as long as its two ends like."""
        return inf if self._switched else self._loop.time() + self._limits.idle_s

    def _received(self, answer: Response, size: int) -> None:
        answer.buffered += size
        self.deadline = self._in_time
        if answer.buffered > self._limits.max_buffer and answer.pieces and self._reading:
            self._reading = False
            self.deadline = inf
            self._transport.pause_reading()
        answer.wake()

    def _finish(self, answer: Response) -> None:
        self._answer = None
        answer.end()
        flushed = self.alive and not self._transport.get_write_buffer_size()
        if flushed and self._sent and self._keep and self._violation is None:
            self._become_idle()
        else:
            self.drop()

    def _become_idle(self) -> None:
        if self._bodiless:  # after a HEAD the parser still waits for the body that was announced
            self._parser = httptools.HttpResponseParser(self)
        self._reset()
        if not self._reading:
            self.resume()
        self.reused = True
        self.deadline = self._loop.time() + self._limits.pool_idle_s
        self._owner.became_idle(self)

    def _closed(self, *, clean: bool) -> None:
        answer = self._answer
        if answer is None:
            self.drop()
        elif answer.began and self._until_close and clean:
            self._finish(answer)
        elif answer.began:
            self.fail(UpstreamCut(f"{self._name} broke off in the body of its answer."))
        elif self._has_bytes:
            self.fail(UpstreamCut(f"{self._name} broke off in the head of its answer."))
        else:
            self.fail(UpstreamUnreachable(f"{self._name} closed the connection before it began to answer."))

    def _release_drain(self) -> None:
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)


def _framing(headers: list[tuple[bytes, bytes]]) -> tuple[int | None, bytes | None]:
    """Content-Length and transfer codings; the parser has refused both together and any length that is not a number."""
    length, coding = None, None
    for name, value in headers:
        size = len(name)
        if size == 14 and name.lower() == b"content-length":
            length = int(value)
        elif size == 17 and name.lower() == b"transfer-encoding":
            coding = value.strip().lower() if coding is None else coding + b", " + value
    return length, coding


def _violation(version: str, headers: list[tuple[bytes, bytes]], coding: bytes | None, size: int) -> str | None:
    """What makes a head unusable, in words without its content; `size` bounds the bytes it took."""
    if len(headers) > HEAD_FIELDS:
        return f"its head has more than {HEAD_FIELDS} fields"
    if size > HEAD_BYTES and sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_BYTES:
        return OVERSIZE
    if version not in {"1.1", "1.0"}:
        return "its version is neither HTTP/1.1 nor HTTP/1.0"
    if coding is not None and coding != b"chunked":
        return "its transfer coding is not plain chunked"
    return None
