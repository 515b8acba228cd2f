"""The proxy: a request comes in, goes to the upstream of its family, and its answer goes back as it comes.

Owns: the route of a call through capture, read top to bottom in `Proxy._relay`, and the way back of an upload's second
request. Not here: parsing of bodies, durable writes (`recorder`) and connections (`http_server`, `upstream`).
Invariant: the client gets the upstream's bytes, unaltered and at once; only the last byte of a sized body, or the end
of a chunked one, waits for the record.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gembill.capture.admission import HEALTH, Admitted, admit, error_body, forwarded
from gembill.capture.attribution import Header, caller_of
from gembill.capture.http_server import CLIENT, HttpProtocol
from gembill.capture.recorder import Call, Recorder
from gembill.errors import ConfigurationError, Refusal, UpstreamCut, UpstreamError, UpstreamTimeout
from gembill.event import Ending
from gembill.model import Api
from gembill.upstream import NeverSent, Origin, Response, Upstream
from gembill.wire.routes import family, route

_log = logging.getLogger("gembill.proxy")
_STALL_SECONDS = 120.0
_BODY_SECONDS = 120.0
_UPLOAD_URL = b"x-goog-upload-url"
_ADDRESS = re.compile(rb"(https?://[^/?#@\\\s]+)(/[^\s]*)", re.IGNORECASE)
_OUR_FAULT = Refusal(500, "GEMBILL_INTERNAL", "something went wrong inside gembill; its log says what")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How long, how far and how often an answer is read on after its client left."""

    seconds: float = 600.0
    size: int = 64 << 20
    calls: int = 1_000


class _ClientGone(Exception):
    """The client left before its request was complete."""


class Proxy:
    """The ASGI application of `gembill proxy`. A request's path alone says which of the `upstreams` it goes to."""

    def __init__(
        self,
        upstreams: Mapping[Api, Upstream],
        recorder: Recorder,
        health: Callable[[], dict[str, Any]],
        caps: Caps = Caps(),
    ) -> None:
        self._upstreams = upstreams
        self._recorder = recorder
        self._health = health
        self._caps = caps
        self._detached = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            if scope["raw_path"] == HEALTH:
                await _send_json(send, 200, json.dumps(self._health()).encode())
                return
            await self._call(scope, receive, send)
        except Refusal as refusal:
            await _send_json(send, refusal.status, error_body(refusal))
        except Exception:  # noqa: BLE001 - the last line: its text may hold anything and goes to the redacted log only
            _log.exception("a request failed inside gembill")
            if scope[CLIENT].answering:
                scope[CLIENT].cut()
            else:
                await _send_json(send, 500, error_body(_OUR_FAULT))

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start with the server, and at its end close the connections upstream."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for upstream in set(self._upstreams.values()):
            await upstream.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _call(self, scope: Message, receive: Receive, send: Send) -> None:
        request = admit(scope)
        recorded_as = route(request.method, request.path)
        call = None
        if recorded_as is not None:
            caller = caller_of(scope["headers"], request.query)
            call = await self._recorder.begin(recorded_as, caller, request.headers)
        try:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            await self._relay(request, call, _Client(scope[CLIENT], receive, send, host))
        except BaseException:
            self._recorder.end_at_once(call)
            raise

    async def _relay(self, request: Admitted, call: Call | None, client: "_Client") -> None:
        upstream = self._upstreams[family(request.path)]
        try:
            answer = await upstream.request(
                request.method.encode(),
                request.target,
                request.headers,
                client.body(request, call),
                length=request.length,
                begun=call.forwarding if call else _nobody_asks,
            )
        except _ClientGone:
            await self._recorder.end(call, Ending.UNSENT)
            await client.end(whole=False)
            return
        except UpstreamError as error:
            await self._recorder.end(call, Ending.UNSENT if isinstance(error, NeverSent) else Ending.UNANSWERED)
            raise _bad_gateway(error) from None
        if call:
            call.exchange.answered(answer.head.status, answer.head.headers)
        await client.start(
            answer, request.method, rewrite_upload_url(answer.head.headers, upstream.origin, client.host)
        )
        ending = await self._pump(answer, call, client)
        await self._recorder.end(call, ending, retried=answer.retried)
        await client.end(whole=ending is Ending.FINISHED)

    async def _pump(self, answer: Response, call: Call | None, client: "_Client") -> Ending:
        """Pass the answer on to its end, whether the client stays or not; all but what must wait for the record."""
        detached: _Detached | None = None
        try:
            while piece := await (answer.read() if detached is None else detached.read(answer)):
                await client.send(piece)
                if call:
                    call.exchange.received(piece)
                if client.gone and detached is None:
                    detached = self._detach(call)
        except (UpstreamError, TimeoutError) as error:
            _log.warning("an answer was cut: %s", str(error) or "its client had left and it took too long")
            return Ending.CUT
        finally:
            answer.abort()
            self._detached -= detached is not None
        return Ending.FINISHED

    def _detach(self, call: Call | None) -> "_Detached":
        """The client left. A recorded answer is read on, within the caps; any other one ends here."""
        if call is None or not call.exchange.wanted or self._detached >= self._caps.calls:
            raise UpstreamCut("its client had left")
        self._detached += 1
        return _Detached(time.monotonic() + self._caps.seconds, self._caps.size)


@dataclass(slots=True)
class _Detached:
    """An answer whose client has left: until when and how much of it is still read."""

    until: float
    left: int

    async def read(self, answer: Response) -> bytes:
        async with asyncio.timeout(max(0.0, self.until - time.monotonic())):
            piece = await answer.read()
        self.left -= len(piece)
        if self.left < 0:
            raise UpstreamCut("its client had left and it was longer than is read on for")
        return piece


class _Client:
    """The client's side of one exchange: its body comes, the answer goes, its last byte held back."""

    def __init__(self, protocol: HttpProtocol, receive: Receive, send: Send, host: bytes) -> None:
        self.host = host  # as the client wrote it
        self._protocol = protocol
        self._receive = receive
        self._send = send
        self._left: int | None = None  # bytes of a sized body that were not sent yet
        self._held = b""

    @property
    def gone(self) -> bool:
        return self._protocol.gone

    async def body(self, request: Admitted, call: Call | None) -> AsyncIterator[bytes]:
        """The request's body as it comes, looked at after it was passed on."""
        more = request.length != 0
        while more:
            try:
                async with asyncio.timeout(_BODY_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                raise _ClientGone from None
            if message["type"] == "http.disconnect":
                raise _ClientGone
            if piece := message["body"]:
                yield piece
                if call:
                    call.exchange.sent(piece)
            more = message["more_body"]

    async def start(self, answer: Response, method: str, fields: list[Header]) -> None:
        """Send the answer's head with these header fields."""
        status, bodiless = answer.head.status, method == "HEAD" or answer.head.status in (204, 304)
        headers = forwarded(fields)
        if status in (204, 304):
            headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        self._left = None if bodiless else answer.head.length
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, piece: bytes) -> None:
        """Send on what came, all but the very last byte of a sized body."""
        if self._left is not None:
            self._left -= len(piece)
            if self._left == 0:
                piece, self._held = piece[:-1], piece[-1:]
        if not piece or self.gone:
            return
        if self._protocol.stalled:
            await self._send_slowly(piece)
        else:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _send_slowly(self, piece: bytes) -> None:
        """The client does not keep up: the upstream waits with us, but not for ever."""
        try:
            async with asyncio.timeout(_STALL_SECONDS):
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            self._protocol.abort()

    async def end(self, *, whole: bool) -> None:
        """Release the end of the answer, or let the client see that it was cut."""
        if self.gone:
            return
        if not whole:
            self._protocol.cut()
            return
        await self._send({"type": "http.response.body", "body": self._held, "more_body": False})


def _nobody_asks() -> None:
    """What is not recorded costs nothing, sent or not."""


def _bad_gateway(error: UpstreamError) -> Refusal:
    if isinstance(error, UpstreamTimeout):
        return Refusal(504, "GEMBILL_UPSTREAM_TIMEOUT", str(error))
    return Refusal(502, "GEMBILL_UPSTREAM_UNREACHABLE", str(error))


async def _send_json(send: Send, status: int, body: bytes) -> None:
    headers: list[Header] = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def rewrite_upload_url(headers: list[Header], origin: Origin, host: bytes) -> list[Header]:
    """The answer's headers with the upload URL at `host`, the name the client called us by, if it was at the upstream.

    SDKs send the bytes of a file straight to that URL (contract.md, The proxy and the bytes; wire.md 5.6). Only scheme
    and host change, and only for an address of the upstream itself, so that nobody is sent anywhere new.
    """
    return [(name, _at_host(value, origin, host) if name.lower() == _UPLOAD_URL else value) for name, value in headers]


def _at_host(address: bytes, origin: Origin, host: bytes) -> bytes:
    match = _ADDRESS.fullmatch(address)
    if match is None or not host or not _is_at(match[1], origin):
        return address
    return b"http://" + host + match[2]


def _is_at(address: bytes, origin: Origin) -> bool:
    try:
        return Origin.parse(address.decode("ascii", "replace")) == origin
    except ConfigurationError:
        return False
