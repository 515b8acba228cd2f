"""The simulator as a server.

Owns: keys, the choice of a fault, timing, headers and the log of what was served. Not here: rules of the answers.
Invariant: the answer depends on seed, model and body, never on the order of arrival; only ids and faults by rate also
depend on how often the same body came before (ids without a seed on the start, too), and the faults of a script on
arrival.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

from gembill.errors import ConfigurationError, Refusal
from gembill_simulator import faults, frames, options, routes, wire
from gembill_simulator.connection import ClientConnection, HttpExchange, HttpRequest
from gembill_simulator.context import RequestContext
from gembill_simulator.frames import Packer, Reply
from gembill_simulator.live import Conversation
from gembill_simulator.names import IdFactory, id_text
from gembill_simulator.options import Control, Options
from gembill_simulator.routes import SimulatorRoute
from gembill_simulator.surfaces import Surfaces

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_HANG_S = 600


class Served(NamedTuple):
    """One generation request: of generateContent, of an interaction, or of a completion; or a turn of a session.

    `usage` is the final usage as sent, under the names of its surface; None when the answer did not carry it.
    """

    response_id: str
    path: str
    usage: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that listens. `url` has no trailing slash; `served` is the simulator's own log."""

    url: str
    served: "deque[Served]"


class Simulator:
    """A look-alike of the Gemini API. `served` logs the latest generation requests, oldest first."""

    def __init__(self, settings: Options | None = None) -> None:
        self.options = settings or Options()
        self.served: deque[Served] = deque(maxlen=self.options.keep_served)
        self._script = deque(self.options.script)
        self._names = IdFactory(self.options.seed)
        self._surfaces = Surfaces(self._names)
        self._url = ""

    @asynccontextmanager
    async def serve(self, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Running]:
        """Listen in the running event loop; port 0 takes a free one.

        Raises ConfigurationError when `host` is not a loopback address or the port cannot be had.
        """
        if host not in LOOPBACK:
            raise ConfigurationError(f"The simulator serves loopback only: {host!r} is none of {', '.join(LOOPBACK)}.")
        open_ones: set[ClientConnection] = set()
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: ClientConnection(self.handle, open_ones, self._converse), host, port
            )
        except OSError as reason:
            raise ConfigurationError(f"The simulator cannot listen on {host}, port {port}: {reason}.") from reason
        shown = f"[{host}]" if ":" in host else host
        self._url = f"http://{shown}:{server.sockets[0].getsockname()[1]}"
        try:
            yield Running(self._url, self.served)
        finally:
            server.close()
            for connection in tuple(open_ones):
                await connection.stop()

    def _converse(self, target: str) -> Conversation:
        path = target.partition("?")[0]
        return Conversation(self._names, lambda name, usage: self.served.append(Served(name, path, usage)))

    async def handle(self, exchange: HttpExchange) -> None:
        """Answer one request."""
        request = exchange.request
        route = None
        try:
            route = routes.find(request.method, request.target)
            control = options.control(request.headers)
            if self.options.require_key:
                _check_key(request, route)
            if route.generates:
                await self._generate(exchange, route, control)
            else:
                await _send(
                    exchange, self._surfaces.inform(self._context(request, route, control)), sized=control.sized
                )
        except Refusal as refusal:
            document = wire.error(refusal.status, refusal.reason, str(refusal))
            refused = frames.error(route, refusal.status, document) if route else frames.plain(refusal.status, document)
            await _send(exchange, refused)

    async def _generate(self, exchange: HttpExchange, route: SimulatorRoute, control: Control) -> None:
        context = self._context(exchange.request, route, control)
        context = replace(context, fault=self._fault(context))
        log = _Entry(self.served, Served(id_text(context.draw), route.path, None))
        try:
            await _wait(_either(control.latency_ms, self.options.latency_ms))
            if context.fault in ("hang", "reset"):
                await _wait(_HANG_S * 1000 if context.fault == "hang" else 0)
                exchange.reset()
                return
            reply = self._reply(exchange.request, context)
            log.served = log.served._replace(response_id=reply.name or log.served.response_id)
            pause = _either(control.chunk_ms, self.options.chunk_ms) if reply.streams else 0
            sized = control.sized and not reply.streams
            await _send(exchange, reply, pause_ms=pause, sized=sized, before_last=lambda: log.write(reply.usage))
        finally:
            log.write(None)  # counts only where the answer did not come to its last frame

    def _reply(self, request: HttpRequest, context: RequestContext) -> Reply:
        refusal = faults.refusal(context.fault, _key(request, context.route))
        return self._surfaces.generate(context) if refusal is None else frames.error(context.route, *refusal)

    def _context(self, request: HttpRequest, route: SimulatorRoute, control: Control) -> RequestContext:
        place = route.model.name if route.model else f"{route.method} {route.path}"
        origin = self._names.origin(place, request.body)
        makes = route.method == "POST" and route.operation != "countTokens"
        draw = self._names.draw(origin) if makes else b""
        now = datetime.now(UTC)
        return RequestContext(route, request.headers, request.body, self.options, control, origin, draw, now, self._url)

    def _fault(self, context: RequestContext) -> str:
        if context.control.fault is not None:
            return context.control.fault
        if self._script:
            return self._script.popleft()
        return faults.pick(self.options.faults, int.from_bytes(context.draw[16:], "big") / 2**64)


class _Entry:
    """One line of the log, written once: the first writing counts."""

    def __init__(self, log: "deque[Served]", served: Served) -> None:
        self._log = log
        self._written = False
        self.served = served

    def write(self, usage: dict[str, Any] | None) -> None:
        """Write it, unless that was done."""
        if not self._written:
            self._written = True
            self._log.append(self.served._replace(usage=usage))


async def _send(
    exchange: HttpExchange,
    reply: Reply,
    *,
    pause_ms: float = 0,
    sized: bool = False,
    before_last: Callable[[], None] | None = None,
) -> None:
    gzip = "gzip" in exchange.request.headers.get("accept-encoding", "")
    packer = Packer(gzip=gzip)
    *firsts, last = [b"".join(reply.frames)] if sized else reply.frames
    packed_last = packer.finish(last) if sized else b""
    length = len(packed_last) + reply.breaks if sized else None  # one more than comes: the cut can be seen
    exchange.begin(reply.status, _headers(reply, gzip=gzip), length=length)
    for frame in firsts:
        await exchange.send(packer.pack(frame))
        await _wait(pause_ms)
    if before_last is not None:
        before_last()
    if not sized:
        packed_last = packer.pack(last) if reply.breaks else packer.finish(last)
    await exchange.send(packed_last, last=not reply.breaks)


def _headers(reply: Reply, *, gzip: bool) -> list[tuple[str, str]]:
    kind = "text/event-stream" if reply.events else reply.kind
    headers = [("Content-Type", kind), ("Vary", "Origin, X-Origin, Referer"), ("Date", formatdate(usegmt=True))]
    if reply.events:
        headers.append(("Content-Disposition", "attachment"))
    if gzip:
        headers.append(("Content-Encoding", "gzip"))
    if reply.tier is not None:
        headers.append(("X-Gemini-Service-Tier", reply.tier))
    return [*headers, *reply.headers, ("Server", "gembill-simulator")]


def _key(request: HttpRequest, route: SimulatorRoute) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-goog-api-key") or route.query.get("key") or bearer


def _check_key(request: HttpRequest, route: SimulatorRoute) -> None:
    if (
        route.surface == "upload" and "upload_id" in route.query
    ):  # its address was given to one who had a key, and is all the SDKs send
        return
    if not _key(request, route):
        raise Refusal(403, "PERMISSION_DENIED", "The request carries no API key; this simulator asks for one.")


def _either(own: float | None, general: float) -> float:
    return general if own is None else own


async def _wait(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
