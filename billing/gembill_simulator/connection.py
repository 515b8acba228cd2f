"""One HTTP/1.1 connection of the simulator's server.

Owns: parsing requests, framing answers, keep-alive, flow control, the two rude ways to end (cut and reset), which a web
framework does not offer, and the frames of a WebSocket. Not here: routes and answers. Invariant: requests of a
connection are answered one at a time in their order; a handler that leaves its answer unfinished costs the connection.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import httptools
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from gembill.errors import Refusal
from gembill_simulator.live import Conversation, is_session, refused

LARGEST_BODY = 64 << 20
_OF_AN_OFFER = ("upgrade", "http2-settings", "connection", "expect")  # the last was answered

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as received; header names are in lower case, `target` is path and query."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keeps_alive: bool
    may_chunk: bool


class HttpExchange:
    """A request and the way to answer it: `begin`, then `send` until the last piece; or `reset`.

    A handler that returns before the last piece was sent ends the connection there: the answer is cut.
    """

    def __init__(self, request: HttpRequest, connection: "ClientConnection") -> None:
        self.request = request
        self._connection = connection
        self._chunked = False
        self._head = b""
        self.open = True

    def begin(self, status: int, headers: Iterable[tuple[str, str]], *, length: int | None = None) -> None:
        """Start the answer; without a length it is chunked, or ends with the connection for HTTP/1.0."""
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self._chunked = length is None and self.request.may_chunk
        if length is not None:
            lines.append(f"Content-Length: {length}")
        elif self._chunked:
            lines.append("Transfer-Encoding: chunked")
        if not self.request.keeps_alive:
            lines.append("Connection: close")
        self._head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of the body, waiting while the client does not read; `last` ends the answer with it."""
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data
        if last and self._chunked:
            framed += b"0\r\n\r\n"
        head, self._head = self._head, b""
        self.open = not last
        await self._connection.write(head + framed)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self._connection.abort()


Handler = Callable[[HttpExchange], Awaitable[None]]


class ClientConnection(asyncio.Protocol):
    """The protocol object; `handler` answers each exchange."""

    def __init__(
        self, handler: Handler, connections: "set[ClientConnection]", converse: Callable[[str], Conversation]
    ) -> None:
        self._handler = handler
        self._converse = converse
        self._socket: _WebSocket | None = None
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[HttpRequest] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # of a TCP server; uvloop's is not a subclass
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Stop answering: the client is gone."""
        self._connections.discard(self)
        self._writable.set()
        if self._worker is not None:
            self._worker.cancel()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Parse; what is not HTTP ends the connection with a 400."""
        if self._socket is not None:
            self._socket.receive(data)
            return
        try:
            while data:
                data = self._parse(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # the latter: CONNECT
            if self._transport is not None:
                self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.close()

    def _parse(self, data: bytes) -> bytes:
        """Read on; what is left where a head offers to upgrade, which Google's servers ignore (RFC 9110 7.8).

        The parser takes the rest for another protocol, so a new one reads the same head without the offer.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            before, self._parser = self._parser, httptools.HttpRequestParser(self)
            line = b"%b %b HTTP/%b" % (before.get_method(), self._target, before.get_http_version().encode())
            if self._headers.get("upgrade", "").lower() == "websocket" and is_session(self._target.decode("latin-1")):
                self._open_session(line, data[offer.args[0] :])
                return b""
            kept = [f"{name}: {value}" for name, value in self._headers.items() if name not in _OF_AN_OFFER]
            kept.append("connection: keep-alive" if before.should_keep_alive() else "connection: close")
            self._parser.feed_data(line + "".join(f"\r\n{field}" for field in kept).encode("latin-1") + b"\r\n\r\n")
            return data[offer.args[0] :]
        return b""

    def _open_session(self, line: bytes, data: bytes) -> None:
        assert self._transport is not None
        self._socket = _WebSocket(self._transport, self._converse(self._target.decode("latin-1")))
        fields = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        self._socket.receive(line + b"\r\n" + fields.encode("latin-1") + b"\r\n" + data)

    def on_message_begin(self) -> None:
        """Parser callback: a request starts."""
        self._target, self._headers, self._body, self._size = b"", {}, [], 0

    def on_url(self, url: bytes) -> None:
        """Parser callback: a piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser callback: one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Parser callback: the body follows."""
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Parser callback: a piece of the body; one over the limit ends the connection."""
        self._size += len(body)
        if self._size > LARGEST_BODY:
            self._body = []
            self.close()
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser callback: the request is whole, unless its head offers to upgrade: then it is read again."""
        if self._parser.should_upgrade():
            return
        request = HttpRequest(
            self._parser.get_method().decode("ascii"),
            self._target.decode("latin-1"),
            self._headers,
            b"".join(self._body),
            keeps_alive=self._parser.should_keep_alive(),
            may_chunk=self._parser.get_http_version() != "1.0",
        )
        self._waiting.append(request)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._answer())

    async def write(self, data: bytes) -> None:
        """Hand bytes to the transport and wait until it can take more."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
        if not self._writable.is_set():
            await self._writable.wait()

    def close(self) -> None:
        """End the connection after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection with a reset."""
        if self._transport is None:
            return
        plug = self._transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def stop(self) -> None:
        """Stop answering and let go of the connection."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        if self._transport is not None:
            self._transport.abort()

    async def _answer(self) -> None:
        while self._waiting and self._transport is not None and not self._transport.is_closing():
            exchange = HttpExchange(self._waiting.popleft(), self)
            try:
                await self._handler(exchange)
            finally:
                if exchange.open or not exchange.request.keeps_alive:
                    self.close()


class _WebSocket:
    """A connection that has become a session."""

    def __init__(self, transport: asyncio.Transport, conversation: Conversation) -> None:
        self._transport = transport
        self._conversation = conversation
        self._protocol = ServerProtocol()

    def receive(self, data: bytes) -> None:
        """Take bytes, and answer what they say."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self._answer(bytes(event.data))
        self._transport.write(b"".join(self._protocol.data_to_send()))
        if self._protocol.close_expected():
            self._transport.close()

    def _answer(self, message: bytes) -> None:
        """As binary frames, as Google's servers send them."""
        try:
            for answer in self._conversation.said(message):
                self._protocol.send_binary(answer)
        except Refusal as refusal:
            self._protocol.fail(CloseCode.POLICY_VIOLATION, refused(refusal))
