"""A request and the answer it gets.

Owns: the body as it comes, how an answer is framed, and what of it is held back. Not here: the connection
(`http_connection`) and what is answered (`proxy`). Invariant: the last byte of a sized body, and the end of any other
answer, leaves by `end` alone; an answer that is cut never looks whole.
"""

import time
from collections.abc import Sequence
from http import HTTPStatus
from math import inf
from typing import Protocol

from gembill.capture.admission import MAX_HEAD, Head
from gembill.capture.attribution import Header

BODY_SECONDS = 120.0  # between two pieces of a body
BODY_SLACK = 600.0  # seconds that a body may take beside those that its bytes take at BODY_SPEED
BODY_SPEED = 1_000.0  # bytes a second
STALL_SECONDS = 120.0  # until a client that does not read is given up
FRAMING_SHARE = 16  # bytes of framing that a chunked body may have for each byte of content, above MAX_HEAD
SWITCH_LINES = (b"upgrade: websocket\r\n", b"connection: Upgrade\r\n")
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Client(Protocol):
    """The client at the other end of the connection."""

    stalled: bool
    stopping: bool

    @property
    def gone(self) -> bool:
        """Whether it has left."""

    @property
    def silent(self) -> bool:
        """Whether nothing more comes of it."""

    def write(self, data: bytes) -> None:
        """Send."""

    async def wait(self, seconds: float) -> None:
        """Wait until something came or was read."""

    async def drain(self) -> None:
        """Wait until it has read enough."""

    def read_on(self) -> None:
        """There is room."""

    def close(self, *, abort: bool = False) -> None:
        """End the connection."""


class ClientGone(Exception):
    """The client left, or broke off, before its request was complete."""


class Request:
    """One request and its answer. The body is read piece by piece, or whole where it is there.

    `length` is the body's, None if chunked. An answer is `start`, any number of `send`, and `end` or `cut`.
    """

    __slots__ = (
        "_began", "_chunked", "_connection", "_held", "_left", "_pieces", "answering", "buffered", "complete",
        "content", "ended", "expects", "framing", "head", "keep_alive", "length", "method", "sent", "status", "target",
        "version", "wire",
    )  # fmt: skip

    def __init__(
        self, connection: Client, method: str, target: bytes, version: str, head: Head, length: int | None
    ) -> None:
        self._connection = connection
        self._began = 0.0  # when a body was first waited for
        self.method = method
        self.target = target
        self.version = version
        self.head = head
        self.length = length
        self.keep_alive = True
        self.complete = self.answering = self.ended = False
        self.expects = head.expects  # a 100 before it sends its body
        self.buffered = self.content = self.framing = self.wire = 0
        self.status = self.sent = 0  # of the answer: its status once it began, bytes of its body
        self._pieces: list[bytes] = []
        self._chunked = False
        self._left: int | None = None  # bytes of a sized answer that were not sent yet
        self._held = b""

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._connection.gone

    @property
    def stalled(self) -> bool:
        """Whether the client does not read as fast as it is sent to: then wait for `drained`."""
        return self._connection.stalled

    def take_whole(self) -> bytes | None:
        """The body if all of it is there, else None; to be called before `read`. Raises ClientGone."""
        if self._connection.gone:
            raise ClientGone
        if not self.complete:
            return None
        return self._take()

    async def read(self) -> bytes:
        """What has come of the body since the last read, b"" at its end. Raises ClientGone."""
        await self.arrives()
        return self._take() if self._pieces else b""

    @property
    def arrived(self) -> bool:
        """Whether something of the body waits to be read, or all of it has come."""
        return bool(self._pieces) or self.complete

    async def arrives(self) -> None:
        """Wait until something of the body is there, or its end. Raises ClientGone."""
        connection = self._connection
        while not self._pieces:
            if self.complete:
                return
            if connection.gone or connection.silent:
                raise ClientGone
            if self.expects and not self.content and not self.answering:
                connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.expects = False
            await connection.wait(self._patience())

    def _patience(self) -> float:
        """How long the next piece is waited for. Raises ClientGone for a body that drips."""
        now = time.monotonic()
        self._began = self._began or now
        left = self._began + BODY_SLACK + self.content / BODY_SPEED - now
        if left <= 0:
            raise ClientGone
        return min(BODY_SECONDS, left)

    def _take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        self.buffered = 0
        self._connection.read_on()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def received(self, piece: bytes) -> None:
        """A piece of the body came (called by the connection); nobody wants it after the answer."""
        size = len(piece)
        self.framing = 0
        self.content += size
        if not self.ended:
            self._pieces.append(piece)
            self.buffered += size

    @property
    def oddly_framed(self) -> bool:
        """Whether chunk sizes, their extensions and trailers take more than an honest client's do."""
        return self.framing > MAX_HEAD or self.wire > MAX_HEAD + (1 + FRAMING_SHARE) * self.content

    def start(self, status: int, fields: Sequence[Header], *, length: int | None) -> None:
        """Send the head of an answer; a body without a length is chunked, or ends with the connection."""
        self.answering, self.status = True, status
        bodiless = self.method == "HEAD" or status in (204, 304)
        self._left = length
        if length is None and not bodiless:
            self._chunked = self.version == "1.1"
        self.keep_alive = self.keep_alive and (bodiless or self._chunked or length is not None)
        lines = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, *[b"%b: %b\r\n" % field for field in fields]]
        if self._chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive or self._connection.stopping:
            self.keep_alive = False
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        if bodiless or length == 0:
            self._held = b"".join(lines)  # all there is of the answer
        else:
            self._connection.write(b"".join(lines))

    def send(self, piece: bytes) -> None:
        """Send a part of the body, all but the very last byte of a sized one."""
        size = len(piece)
        self.sent += size
        if self._chunked:
            piece = b"%x\r\n%b\r\n" % (size, piece)
        elif self._left is not None:
            self._left -= size
            if self._left <= 0:
                piece, self._held = piece[:-1], piece[-1:]
        if piece:
            self._connection.write(piece)

    def switch(self, fields: Sequence[Header]) -> None:
        """Answer 101: from here on the connection is a conversation, of `listen` and `speak`."""
        self.answering, self.keep_alive, self.status = True, False, 101
        lines = [STATUS_LINES[101], *[b"%b: %b\r\n" % field for field in fields], *SWITCH_LINES, b"\r\n"]
        self._connection.write(b"".join(lines))

    async def listen(self) -> bytes:
        """What the client said since the last time, b"" once it has left."""
        while not self._pieces:
            if self._connection.gone:
                return b""
            await self._connection.wait(inf)
        return self._take()

    async def speak(self, data: bytes) -> None:
        """Say something to the client, and wait while it does not read."""
        self.sent += len(data)
        self._connection.write(data)
        await self._connection.drain()

    async def drained(self) -> None:
        """Wait until the client has read enough; one that does not is given up."""
        while self._connection.stalled and not self._connection.gone:
            await self._connection.wait(STALL_SECONDS)

    def end(self) -> None:
        """Release the end of the answer."""
        self.ended = True
        self._connection.write(b"0\r\n\r\n" if self._chunked else self._held)

    def cut(self) -> None:
        """Break the answer off so that the client sees it: what was sent leaves, unless the close would look whole."""
        self._connection.close(abort=self.answering and not self._chunked and self._left is None)
