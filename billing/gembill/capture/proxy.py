"""The proxy: a request comes in, goes to the upstream of its family, and its answer goes back as it comes.

Owns: the route of a call through capture, read top to bottom in `Proxy._relay`, and the way back of an upload's second
request. Not here: parsing of bodies, durable writes (`recorder`) and connections (`http_server`, `upstream`).
Invariant: the client gets the upstream's bytes, unaltered and at once; only the last byte of a sized body, or the end
of a chunked one, waits for the record.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gembill.capture.admission import OWN_PAGES, Admitted, admit, error_body, forwarded, onward
from gembill.capture.attribution import Header
from gembill.capture.exchange import Exchange
from gembill.capture.http_request import ClientGone, Request
from gembill.capture.recorder import Call, Recorder
from gembill.capture.slices import PACKED, in_slices
from gembill.errors import ConfigurationError, Refusal, UpstreamCut, UpstreamError, UpstreamTimeout
from gembill.event import Ending
from gembill.health import JSON_TYPE, HealthReport
from gembill.model import Api
from gembill.upstream import NeverSent, Origin, Response, Upstream

if TYPE_CHECKING:
    from gembill.capture.live import LiveSession  # imported at the first session: most proxies never see one

_log = logging.getLogger("gembill.proxy")
_UPLOAD_URL = b"x-goog-upload-url"
_UPLOAD_URL_SIZE = len(_UPLOAD_URL)
_ADDRESS = re.compile(rb"(https?://[^/?#@\\\s]+)(/[^\s]*)", re.IGNORECASE)
_SWITCH = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
_OUR_FAULT = Refusal(500, "GEMBILL_INTERNAL", "something went wrong inside gembill; its log says what")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How long, how far and how often an answer is read on after its client left."""

    seconds: float = 600.0
    size: int = 64 << 20
    calls: int = 1_000


class Proxy:
    """Answers every request of `gembill proxy`. The path alone says which of the `upstreams` it goes to."""

    def __init__(
        self,
        upstreams: Mapping[Api, Upstream],
        recorder: Recorder,
        health: Callable[[], HealthReport],
        caps: Caps = Caps(),
        *,
        scheme: str = "http",
    ) -> None:
        self._upstreams = upstreams
        self._recorder = recorder
        self._health = health
        self._caps = caps
        self._scheme = scheme.encode()
        self._detached = 0

    async def __call__(self, request: Request) -> None:
        """Answer one request."""
        call = None
        try:
            path, _, query = request.target.partition(b"?")
            if path in OWN_PAGES and (page := self._health().page(path)):
                _answer(request, page.status, page.body, page.content_type)
                return
            admitted = admit(request.method, path, query)
            if admitted.route is not None:
                call = await self._begin(request, admitted)
            await self._relay(request, admitted, call)
        except ClientGone:
            request.cut()
        except Refusal as refusal:
            _answer(request, refusal.status, error_body(refusal))
        except Exception:  # noqa: BLE001 - the last line: its text may hold anything and goes to the redacted log only
            _log.exception("a request failed inside gembill")
            if request.answering:
                request.cut()
            else:
                _answer(request, 500, error_body(_OUR_FAULT))
        finally:
            self._recorder.end_at_once(call)

    async def close(self) -> None:
        """Close the connections upstream."""
        for upstream in set(self._upstreams.values()):
            await upstream.close()

    async def _begin(self, request: Request, admitted: Admitted) -> Call | None:
        """Begin to record, once something of the body is there: of a call whose body never comes, because we are killed
        or its client is gone, no intent is left behind that says it may have cost something."""
        assert admitted.route is not None
        head, waited, gone = request.head, 0.0, False
        if not request.arrived and not head.websocket:
            began = time.monotonic()
            try:
                await request.arrives()
            except ClientGone:
                gone = True
            waited = time.monotonic() - began
        caller = head.caller_with(admitted.query)
        call = await self._recorder.begin(admitted.route, caller, head.coding, waited=waited)
        if gone:
            await self._recorder.end(call, Ending.UNSENT)
            raise ClientGone
        return call

    async def _relay(self, request: Request, admitted: Admitted, call: Call | None) -> None:
        upstream = self._upstreams[admitted.api]
        try:
            answer = await self._forward(request, admitted, call, upstream)
        except ClientGone:
            await self._recorder.end(call, Ending.UNSENT)
            request.cut()
            return
        except UpstreamError as error:
            await self._recorder.end(call, Ending.UNSENT if isinstance(error, NeverSent) else Ending.UNANSWERED)
            raise _bad_gateway(error) from None
        if call:
            call.exchange.answered(answer.head.status, answer.head.headers)
        if answer.head.status == 101:
            await self._converse(request, admitted, call, answer)
            return
        here = (self._scheme, request.head.host)
        request.start(answer.head.status, _fields_back(answer, upstream.origin, here), length=answer.head.length)
        ending = await self._pump(answer, call, request)
        await self._recorder.end(call, ending, retried=answer.retried)
        if ending is Ending.FINISHED:
            request.end()
        else:
            request.cut()

    def _forward(
        self, request: Request, admitted: Admitted, call: Call | None, upstream: Upstream
    ) -> Awaitable[Response]:
        """Send the request on; the head of its answer. The body is looked at after it was passed on."""
        begun = call.forwarding if call else _nobody_asks
        if request.head.websocket:
            return upstream.open(admitted.target, [*onward(request.head.fields), *_SWITCH], begun=begun)
        packed = call is not None and call.exchange.request_slice == PACKED
        body = None if packed else request.take_whole()
        return upstream.request(
            request.method.encode(),
            admitted.target,
            request.head.onward,
            _pieces(request, call) if body is None else body,
            length=request.length,
            begun=begun,
            sent=(lambda: call.exchange.sent(body)) if call and body else _nobody_asks,
        )

    async def _converse(self, request: Request, admitted: Admitted, call: Call | None, answer: Response) -> None:
        """Pass on what both ends of a WebSocket say, until one of them leaves; it is looked at after it went on."""
        from gembill.capture.live import LiveSession

        recorder, route = self._recorder, admitted.route
        session = None
        if call is not None and route is not None:
            caller = request.head.caller_with(admitted.query)
            session = LiveSession(call, answer.head.headers, lambda: recorder.begin_another(route, caller), recorder)
        request.switch(forwarded(answer.head.headers))
        speaking = asyncio.create_task(_speak(request, answer, session))
        speaking.add_done_callback(lambda _: answer.abort())
        ending = Ending.CUT
        try:
            while piece := await answer.read():
                await request.speak(piece)
                if session:
                    await session.received(piece)
            ending = Ending.FINISHED
        except UpstreamError as error:
            _log.info("a session ended: %s", "its client left" if request.gone else error)
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])
            if session:
                await session.close(ending)
            request.ended = True

    async def _pump(self, answer: Response, call: Call | None, request: Request) -> Ending:
        """Pass the answer on to its end, whether the client stays or not; all but what must wait for the record."""
        detached: _Detached | None = None
        try:
            while piece := await (answer.read() if detached is None else detached.read(answer)):
                request.send(piece)
                if call is None:
                    pass
                elif call.exchange.lists_results:
                    await self._keep_results(call.exchange, piece)
                elif len(piece) <= call.exchange.answer_slice:
                    call.exchange.received(piece)
                elif not call.exchange.passed_of_answer(piece):
                    await in_slices(call.exchange.received, piece, call.exchange.answer_slice)
                if request.stalled:
                    await request.drained()
                if request.gone and detached is None:
                    detached = self._detach(call)
        except (UpstreamError, TimeoutError) as error:
            _log.warning("an answer was cut: %s", str(error) or "its client had left and it took too long")
            return Ending.CUT
        finally:
            answer.abort()
            self._detached -= detached is not None
        return Ending.FINISHED

    async def _keep_results(self, exchange: Exchange, piece: bytes) -> None:
        """Look at a piece of a batch's results, and write those that it completes."""
        keep = partial(self._recorder.keep_results, exchange)
        await in_slices(exchange.received, piece, exchange.answer_slice, keep)

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


async def _speak(request: Request, answer: Response, session: "LiveSession | None") -> None:
    """What the client says in a conversation, until it leaves."""
    while piece := await request.listen():
        await answer.say(piece)
        if session:
            await session.sent(piece)


async def _pieces(request: Request, call: Call | None) -> AsyncIterator[bytes]:
    while piece := await request.read():
        yield piece
        if call and not call.exchange.passed_of_request(piece):
            await in_slices(call.exchange.sent, piece, call.exchange.request_slice)


def _fields_back(answer: Response, origin: Origin, here: tuple[bytes, bytes]) -> list[Header]:
    """The answer's fields as they go to the client; no length where there can be no body."""
    fields = forwarded(answer.head.headers)
    if answer.head.status in (204, 304):
        fields = [field for field in fields if field[0] != b"content-length"]
    return rewrite_upload_url(fields, origin, here)


def _nobody_asks() -> None:
    """What is not recorded costs nothing, sent or not."""


def _bad_gateway(error: UpstreamError) -> Refusal:
    if isinstance(error, UpstreamTimeout):
        return Refusal(504, "GEMBILL_UPSTREAM_TIMEOUT", str(error))
    return Refusal(502, "GEMBILL_UPSTREAM_UNREACHABLE", str(error))


def _answer(request: Request, status: int, body: bytes, content_type: bytes = JSON_TYPE) -> None:
    headers: list[Header] = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    request.start(status, headers, length=len(body))
    request.send(body)
    request.end()


def rewrite_upload_url(headers: list[Header], origin: Origin, here: tuple[bytes, bytes]) -> list[Header]:
    """The answer's headers with the upload URL `here` (our scheme, the client's name for us) if it was at the upstream.

    SDKs send the bytes of a file straight to that URL (contract.md, The proxy and the bytes; wire.md 5.6). Only scheme
    and host change, and only for an address of the upstream itself, so that nobody is sent anywhere new.
    """
    for at, (name, value) in enumerate(headers):
        if len(name) == _UPLOAD_URL_SIZE and name.lower() == _UPLOAD_URL:
            return [*headers[:at], (name, _moved(value, origin, here)), *headers[at + 1 :]]
    return headers


def _moved(address: bytes, origin: Origin, here: tuple[bytes, bytes]) -> bytes:
    match, (scheme, host) = _ADDRESS.fullmatch(address), here
    if match is None or not host or not _is_at(match[1], origin):
        return address
    return scheme + b"://" + host + match[2]


def _is_at(address: bytes, origin: Origin) -> bool:
    try:
        return Origin.parse(address.decode("ascii", "replace")) == origin
    except ConfigurationError:
        return False
