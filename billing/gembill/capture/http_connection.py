"""A client's connection: its requests one after the other, and the answers they get.

Owns: reading of requests (HTTP/1.1 and 1.0), refusals of what is malformed, back-pressure both ways and one deadline.
Not here: the listener (`http_server`), a request and its answer (`http_request`), the parser (`http_parser`), the rules
of a head (`admission`) and what is answered (`proxy`).
Invariant: requests are answered in their order, each once; what is refused never reaches the handler, nothing behind it
is read, and its answer comes after those before it.

A connection reads (`Reading`): a HEAD, then its BODY, then the next head; NOTHING once it closes or was refused. Its
one task meanwhile answers: the handler has the request at the front of the queue until it returns. A WebSocket is a
request without a body whose connection is a CONVERSATION from then on: its bytes go to the handler as they come.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from math import inf
from typing import Protocol, cast

from httptools import HttpParserError

from gembill.capture.admission import MAX_HEAD, OPEN, OWN_PAGES, check_head, error_body
from gembill.capture.attribution import Header
from gembill.capture.doors import Doors
from gembill.capture.http_parser import HttpParser
from gembill.capture.http_request import STATUS_LINES, ClientGone, Request
from gembill.errors import Refusal

HEAD_SECONDS = 30.0  # from the first byte of a head to its last, and from the connection to its first byte
KEEP_ALIVE_SECONDS = 75.0
CLOSE_SECONDS = 30.0  # for a client to read the rest, after that it is given up
BUFFER = 64 * 1024  # bytes of a body that wait for the handler before reading pauses
_TLS_HELLO = b"\x16\x03"


class Reading(Enum):
    """What comes next from the client."""

    HEAD = "head"
    BODY = "body"
    CONVERSATION = "conversation"  # of another protocol: whatever comes
    NOTHING = "nothing"


class Owner(Protocol):
    """Whoever keeps the connections, and hears of their life."""

    def opened(self, connection: "HttpConnection", task: asyncio.Task[None]) -> None:
        """It is connected; the task answers its requests."""

    def lost(self, connection: "HttpConnection") -> None:
        """It is closed for good; its task may still be at work."""

    def spoke_tls(self) -> None:
        """A client began with TLS."""


Handler = Callable[[Request], Awaitable[None]]


class HttpConnection(asyncio.Protocol):
    """One connection of a client. `deadline` is on the loop's clock: past it the owner calls `expire`."""

    __slots__ = (
        "_began", "_counted", "_current", "_denied", "_doors", "_drain", "_handler", "_head_bytes", "_incoming",
        "_lingers", "_loop", "_owner", "_parser", "_paused", "_queue", "_refusal", "_transport", "_url", "_waiter",
        "deadline", "headers", "reading", "stalled", "stopping",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, owner: Owner, handler: Handler, loop: asyncio.AbstractEventLoop, doors: Doors = OPEN) -> None:
        self._owner = owner
        self._doors = doors
        self._handler = handler
        self._loop = loop
        self._parser = HttpParser(self)
        self._queue: deque[Request] = deque()
        self._incoming: Request | None = None  # whose body is read
        self._current: Request | None = None  # that the handler has
        self._refusal: Refusal | None = None
        self._denied: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._head_bytes = 0
        self._began = self._counted = self._lingers = self._paused = False
        self._url = b""
        self.headers: list[Header] = []
        self.reading = Reading.HEAD
        self.stalled = self.stopping = False
        self.deadline = inf

    # --- what requests and the owner call ------------------------------------------------------------------------

    @property
    def gone(self) -> bool:
        """Whether the client has left, or was sent away."""
        return self._transport.is_closing()

    @property
    def idle(self) -> bool:
        """Whether no request is under way, but for a part of a head."""
        return self._current is None and not self._queue

    @property
    def switching(self) -> bool:
        """Whether the head just read is the last of HTTP on this connection."""
        return self.reading is Reading.CONVERSATION

    @property
    def silent(self) -> bool:
        """Whether nothing more is read."""
        return self.reading is Reading.NOTHING

    def write(self, data: bytes) -> None:
        """Send, unless the client has left."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    async def wait(self, seconds: float) -> None:
        """Wait until something came of the client; one that takes too long is given up."""
        try:
            await self._news(seconds)
        finally:
            self.deadline = inf

    async def drain(self) -> None:
        """Wait until the client has read enough, while another task may wait for what it says."""
        while self.stalled and not self.gone:
            self._drain = self._loop.create_future()
            await self._drain

    def read_on(self) -> None:
        """Read from the socket again, after the handler made room."""
        if self._paused and not self._queue and not self.gone:
            self._paused = False
            self._transport.resume_reading()

    def close(self, *, abort: bool = False) -> None:
        """End the connection after what was sent has left, or at once."""
        self.reading = Reading.NOTHING
        if abort:
            self._transport.abort()
        else:
            self._transport.close()
            self.deadline = self._loop.time() + CLOSE_SECONDS

    def stop(self, *, linger: bool = False) -> None:
        """Close after the answer that is under way; without one now. With `linger` after the next answer that says so
        in its head, which one that has begun can do no more."""
        self.stopping, self._lingers = True, linger
        if not linger:
            self.close_idle()

    def close_idle(self) -> None:
        """Close if no request is under way."""
        if self.idle:
            self.close()

    def deny(self, refusal: Refusal) -> None:
        """Answer the first request with a refusal, because there is no room for another client."""
        self._denied = refusal

    def peer(self) -> str:
        """The address of the client; empty where the system does not know it any more."""
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    def expire(self) -> None:
        """The deadline has passed."""
        self.deadline = inf
        if self._current is not None or self.gone:
            self.close(abort=True)
        elif self._began:
            self._refuse(Refusal(408, "GEMBILL_HEAD_LATE", f"the request head took over {HEAD_SECONDS:.0f} seconds"))
        else:
            self.close()

    # --- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came: its head has to come too."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.deadline = self._loop.time() + HEAD_SECONDS
        self._owner.opened(self, self._loop.create_task(self._serve()))

    def connection_lost(self, _: Exception | None) -> None:
        """The client left."""
        self.reading = Reading.NOTHING
        self._release()
        del self._parser  # it holds our bound methods: without the cycle, memory is freed at once
        self._owner.lost(self)

    def data_received(self, data: bytes) -> None:
        """Parse, and bound what is not content."""
        if self.reading is Reading.NOTHING:
            return
        request = self._incoming
        if self.reading is Reading.CONVERSATION:
            self.on_body(data)
            return
        if request is None:
            self._head_bytes += len(data)
        else:
            size = len(data)
            request.wire += size
            request.framing += size
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._cannot_read(data, error)
        if request is None:
            if self._incoming is None and self._head_bytes > MAX_HEAD:
                self._refuse(_TOO_LARGE)
        elif request is self._incoming and request.oddly_framed:
            self._refuse(_TOO_LARGE)

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self.stalled = True

    def resume_writing(self) -> None:
        """It does again."""
        self._release()

    # --- the parser's callbacks ----------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins; nothing is read behind one that is the last."""
        if self.reading is Reading.NOTHING:
            raise ClientGone
        self.headers = []
        self._url = b""
        self._began, self._counted = True, self._head_bytes > 0
        if self._current is None and not self._queue:
            self.deadline = self._loop.time() + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those of a trailer are none and stay here."""
        if self._incoming is None:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there: refuse it, or put the request into the queue."""
        parser, size = self._parser, self._head_bytes if self._counted else MAX_HEAD
        self._began, self._head_bytes = False, 0
        url, version = self._url, parser.get_http_version()
        target = url.partition(b"#")[0] if b"#" in url else url
        if self._denied is not None:
            raise self._denied
        head, length = check_head(version, target, self.headers, size, self._doors)
        if (token := self._doors.token) is not None and target.partition(b"?")[0] not in OWN_PAGES:
            token.check(head.tokens, self.peer())
        request = Request(self, parser.get_method().decode(), target, version, head, length)
        request.keep_alive = version == "1.1" and parser.should_keep_alive()
        self._incoming = request
        self.reading = Reading.CONVERSATION if head.websocket else Reading.BODY
        self._queue.append(request)
        if self._current is not None:
            self._pause()
        self._wake()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        request = self._incoming
        assert request is not None
        request.received(body)
        if request.buffered > BUFFER:
            self._pause()
        if request is self._current:
            self._wake()

    def on_message_complete(self) -> None:
        """A request ends, unless it only seems to because it offers to upgrade: then its body is still to come."""
        request = self._incoming
        if request is None or self._parser.should_upgrade():
            return
        request.complete = True
        self._incoming = None
        self.reading = Reading.HEAD if request.keep_alive else Reading.NOTHING
        if request is self._current:
            self._wake()
        elif request.ended:
            self.deadline = self._loop.time() + KEEP_ALIVE_SECONDS

    # --- inside --------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Answer the requests in their order, then what was refused, and close."""
        seconds = HEAD_SECONDS
        try:
            while self._queue or self.reading is not Reading.NOTHING:
                if not self._queue:
                    await self._news(HEAD_SECONDS if self._began else seconds)
                    continue
                if self._transport.is_closing():
                    return
                request = self._current = self._queue.popleft()
                if self._paused:
                    self.read_on()
                await self._handler(request)
                self._current, seconds = None, KEEP_ALIVE_SECONDS
                if not (request.ended and request.keep_alive) or (self.stopping and not self._lingers):
                    break
                if self._paused:
                    self.read_on()
            if self._refusal is not None:
                self.write(_refusal(self._refusal))
        finally:
            self.close()

    def _pause(self) -> None:
        if not self._paused and not self.gone:
            self._paused = True
            self._transport.pause_reading()

    def _news(self, seconds: float) -> asyncio.Future[None]:
        """What comes true at the next `_wake`."""
        self.deadline = self._loop.time() + seconds
        self._waiter = self._loop.create_future()
        return self._waiter

    def _release(self) -> None:
        """Nothing is stalled any more, because the client reads or is gone."""
        self.stalled = False
        self._wake()
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            self.deadline = inf
            waiter.set_result(None)

    def _cannot_read(self, data: bytes, error: HttpParserError) -> None:
        """Refuse what the parser or `check_head` did not take; what comes behind a last request is left alone."""
        cause = error.__context__
        if isinstance(cause, ClientGone):
            return
        if data.startswith(_TLS_HELLO):
            self._owner.spoke_tls()
        malformed = Refusal(400, "GEMBILL_MALFORMED_REQUEST", "the request is not HTTP/1.1")
        self._refuse(cause if isinstance(cause, Refusal) else malformed)

    def _refuse(self, refusal: Refusal) -> None:
        """Read nothing more; say why when what came before is answered, unless a body is under way, which breaks."""
        if self.reading is Reading.NOTHING:
            return
        if self._incoming is None:
            self._refusal = refusal
        self.reading = Reading.NOTHING
        self._incoming = None
        self._pause()
        self._wake()


_TOO_LARGE = Refusal(431, "GEMBILL_HEAD_TOO_LARGE", f"the request head is larger than {MAX_HEAD} bytes")


def _refusal(refusal: Refusal) -> bytes:
    body = error_body(refusal)
    return b"%bcontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (
        STATUS_LINES[refusal.status],
        len(body),
        body,
    )
