"""The HTTP/1.1 client towards the one fixed origin: raw bytes out, raw bytes in.

Owns: the pool, TLS, and the single retry on a connection that the server had closed: of a POST only where the server
cannot have read it, because it would be paid twice. Not here: what an origin is (`origin`), framing of requests
(`request`) and answers (`connection`), and the way through a company's proxy (`egress`, `tunnel`). It does not
decompress, follow redirects or keep cookies.
Invariant: every connection goes to `Origin.host:port`, whatever a request says; no error text holds a target, a header
or a body, since all of them may hold keys.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from gembill.errors import ConfigurationError, UpstreamCut, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from gembill.upstream.connection import Limits, UpstreamConnection
from gembill.upstream.egress import ForwardProxy
from gembill.upstream.origin import Origin
from gembill.upstream.request import Fields, HeadFields, UpstreamRequest, request_head
from gembill.upstream.response import Response
from gembill.upstream.tunnel import open_tunnel

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"))  # RFC 9110 9.2.2


class NeverSent(UpstreamError):
    """Marks failures before any byte of the request was sent: nothing can have been billed."""


class ConnectFailed(NeverSent, UpstreamUnreachable):
    """No connection could be made: refused, unknown host, TLS failure."""


class ConnectTimedOut(NeverSent, UpstreamTimeout):
    """No connection could be made in `Limits.connect_s`."""


def _nothing() -> None:
    """What is called where nobody wants to know."""


class Upstream:
    """A pool of connections to one origin, for one event loop; the most recently used is taken first.

    `ca_file` (PEM) is trusted besides the system's authorities (which `SSL_CERT_FILE` may replace); certificates and
    host names are always checked. Raises `ConfigurationError` when it cannot be read. With a `proxy` every connection
    is a tunnel through it.
    """

    def __init__(
        self,
        origin: Origin,
        limits: Limits | None = None,
        *,
        ca_file: str | Path | None = None,
        proxy: ForwardProxy | None = None,
    ) -> None:
        self.origin = origin
        self.proxy = proxy
        self.limits = limits or Limits()
        self.connections_opened = 0
        self._name = str(origin)
        self._line = b" HTTP/1.1\r\nHost: " + origin.host_header + b"\r\n"
        authorities = _tls(ca_file) if origin.scheme == "https" or (proxy and proxy.tls) else None
        self._proxy_tls = authorities
        self._tls = authorities if origin.scheme == "https" else None
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._gone: asyncio.Future[None] | None = None

    async def request(
        self,
        method: bytes,
        target: bytes,
        headers: Fields | HeadFields,
        body: AsyncIterator[bytes] | bytes | None,
        *,
        length: int | None,
        begun: Callable[[], None] = _nothing,
        sent: Callable[[], None] = _nothing,
    ) -> Response:
        """Send a request and return its answer once the head is there; 1xx answers are skipped.

        With a `length` (bytes; 0: no body) `headers` hold the `content-length`; a body without goes chunked. The answer
        may come before the body is sent: then no more of it is sent, and an iterator that is waiting is cancelled.
        `begun` is called before the first byte leaves, `sent` where nothing more is to be sent, while the answer is
        waited for. Raises `UpstreamUnreachable`, `UpstreamTimeout` and `UpstreamCut`, marked `NeverSent` when no byte
        left; ValueError for parts that would break the framing.
        """
        chunked = body is not None and length is None
        head = request_head(b"%b %b%b" % (method, target, self._line), headers, length, chunked=chunked)
        sending = UpstreamRequest(head, body, length=length, replay_bytes=self.limits.replay_bytes)
        if sending.waits:
            await sending.prepare()
        idempotent = method in _IDEMPOTENT
        begin = partial(UpstreamConnection.begin, bodiless=method == b"HEAD", idempotent=idempotent)
        connection = self._take()
        if connection is None:
            connection = await self._connect(sent_before=False)
        answer = begin(connection)
        begun()
        try:
            return await _exchange(sending, connection, answer, sent)
        except UpstreamUnreachable:
            if not (answer.stale and sending.replayable):
                raise
        connection = await self._connect(sent_before=True)
        answer = begin(connection)
        answer.retried = 0 if idempotent else 1
        return await _exchange(sending, connection, answer, _nothing)

    async def open(self, target: bytes, headers: Fields, *, begun: Callable[[], None] = _nothing) -> Response:
        """Offer, by `headers`, to go on with another protocol; the answer is a 101, or any other as of `request`.

        After a 101 it is read as it comes and spoken to by `Response.say`, and its connection is its own. Raises what
        `request` does.
        """
        head = request_head(b"GET %b%b" % (target, self._line), headers, 0, chunked=False)
        sending = UpstreamRequest(head, None, length=0, replay_bytes=0)
        connection = await self._connect(sent_before=False)
        answer = connection.begin(bodiless=False, upgrade=True)
        begun()
        return await _exchange(sending, connection, answer, _nothing)

    async def close(self) -> None:
        """Close every connection at once; answers under way break off."""
        self._closing = True
        for connection in tuple(self._open):
            connection.fail(UpstreamCut(f"The connection to {self._name} was closed by us before the answer's end."))
        if self._open:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def connections_idle(self) -> int:
        """How many connections wait in the pool."""
        return len(self._idle)

    @property
    def connections_open(self) -> int:
        """How many connections are up, idle ones included."""
        return len(self._open)

    def opened(self, connection: UpstreamConnection) -> None:
        """A connection is up (`connection.Owner`)."""
        self.connections_opened += 1
        self._open.add(connection)
        if self._timer is None:
            self._sweep()

    def became_idle(self, connection: UpstreamConnection) -> None:
        """A connection may be used again (`connection.Owner`)."""
        if self._closing or len(self._idle) >= self.limits.max_idle:
            connection.drop()
        else:
            self._idle.append(connection)

    def lost(self, connection: UpstreamConnection) -> None:
        """A connection is closed (`connection.Owner`)."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._gone is not None and not self._open and not self._gone.done():
            self._gone.set_result(None)

    def _take(self) -> UpstreamConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.drop()
        return None

    async def _connect(self, *, sent_before: bool) -> UpstreamConnection:
        """Make a connection. After a first attempt that may have reached the API, no failure is `NeverSent`."""
        failed = UpstreamUnreachable if sent_before else ConnectFailed
        timed_out = UpstreamTimeout if sent_before else ConnectTimedOut
        if self._closing:
            raise failed(f"There are no more connections to {self._name}: the client is closed.")
        connection = UpstreamConnection(self, self._name, self.limits, asyncio.get_running_loop())
        try:
            await self._dial(connection)
        except TimeoutError as error:
            way = f" through the proxy {self.proxy.shown}" if self.proxy else ""
            raise timed_out(f"{self._name} took no connection{way} within {self.limits.connect_s:g} s.") from error
        except OSError as error:
            raise failed(f"{self._name} cannot be reached: {error.strerror or error}.") from error
        if self._closing:
            connection.drop()
        if not connection.alive:
            raise failed(f"The connection to {self._name} was closed as soon as it was made.")
        return connection

    async def _dial(self, connection: UpstreamConnection) -> None:
        host, port = self.origin.host.strip("[]"), self.origin.port
        try:
            async with asyncio.timeout(self.limits.connect_s):
                if self.proxy is not None:
                    await open_tunnel(self.proxy, connection, host, port, tls=self._tls, outer=self._proxy_tls)
                else:
                    await asyncio.get_running_loop().create_connection(lambda: connection, host, port, ssl=self._tls)
        except BaseException:
            connection.drop()
            self.lost(connection)  # uvloop does not call `connection_lost` on one that is cancelled while it is made
            raise

    def _sweep(self) -> None:
        """Look at all deadlines: one timer for all connections instead of one per wait."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._open):
            if connection.deadline <= now:
                connection.expire()
        limits = self.limits
        tick = min(1.0, limits.answer_s / 4, limits.idle_s / 4, limits.pool_idle_s / 4)
        self._timer = loop.call_later(tick, self._sweep) if self._open else None


async def _exchange(
    sending: UpstreamRequest, connection: UpstreamConnection, answer: Response, sent: Callable[[], None]
) -> Response:
    try:
        if not sending.send_at_once(connection):
            await sending.send(connection, answer)
        sent()
        if not answer.began:
            await answer.started()
    except BaseException:
        answer.abort()
        raise
    return answer


def _tls(ca_file: str | Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"The file of authorities {ca_file} cannot be used: {error}.") from error
    return context
