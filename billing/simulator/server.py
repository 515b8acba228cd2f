"""The simulator as a server.

Owns: keys, the choice of a fault, timing, headers and the log of what was served. Owns no rule of the answers.
Invariant: the answer depends on seed, model and body, never on the order of arrival; only `responseId` and faults
by rate also depend on how often the same body came before, and the faults of a script on arrival.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import blake2b
from typing import Any, NamedTuple

from billing.errors import ConfigurationError, Refusal
from billing.simulator import faults, frames, options, request, routes, wire
from billing.simulator.connection import Connection, Exchange, Request
from billing.simulator.frames import Packer, Reply
from billing.simulator.models import MODELS
from billing.simulator.options import Control, Options
from billing.simulator.routes import Route
from billing.simulator.wire import Stamp

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_HANG_S = 600
_REMEMBERED = 4096  # bodies whose repetitions are counted


class Served(NamedTuple):
    """One generation request. `usage` is the final `usageMetadata` as sent, None when the answer did not carry it."""

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
        self._repeats: OrderedDict[bytes, int] = OrderedDict()

    @asynccontextmanager
    async def serve(self, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[Running]:
        """Listen in the running event loop; port 0 takes a free one.

        Raises ConfigurationError when `host` is not a loopback address or the port cannot be had.
        """
        if host not in LOOPBACK:
            raise ConfigurationError(f"The simulator serves loopback only: {host!r} is none of {', '.join(LOOPBACK)}.")
        open_ones: set[Connection] = set()
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: Connection(self.handle, open_ones), host, port)
        except OSError as reason:
            raise ConfigurationError(f"The simulator cannot listen on {host}, port {port}: {reason}.") from reason
        shown = f"[{host}]" if ":" in host else host
        try:
            yield Running(f"http://{shown}:{server.sockets[0].getsockname()[1]}", self.served)
        finally:
            server.close()
            for connection in tuple(open_ones):
                await connection.stop()

    async def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        asked = exchange.request
        route = None
        try:
            route = routes.find(asked.method, asked.target)
            control = options.control(asked.headers)
            if self.options.require_key:
                _check_key(asked, route)
            if route.generates:
                await self._generate(exchange, route, control)
            else:
                await _send(exchange, _inform(route, asked), sized=control.sized)
        except Refusal as refusal:
            document = wire.error(refusal.status, refusal.reason, str(refusal))
            refused = frames.error(route, refusal.status, document) if route else frames.plain(refusal.status, document)
            await _send(exchange, refused)

    async def _generate(self, exchange: Exchange, route: Route, control: Control) -> None:
        draw, fault = self._cast(exchange.request, route, control)
        log = _Entry(self.served, Served(urlsafe_b64encode(draw[:16])[:22].decode(), route.path, None))
        try:
            await _wait(_either(control.latency_ms, self.options.latency_ms))
            if fault in ("hang", "reset"):
                await _wait(_HANG_S * 1000 if fault == "hang" else 0)
                exchange.reset()
                return
            reply = self._reply(exchange.request, route, control, fault=fault, response_id=log.served.response_id)
            pause = _either(control.chunk_ms, self.options.chunk_ms) if route.streams else 0
            sized = control.sized and not route.streams
            await _send(exchange, reply, pause_ms=pause, sized=sized, before_last=lambda: log.write(reply.usage))
        finally:
            log.write(None)  # counts only where the answer did not come to its last frame

    def _reply(self, asked: Request, route: Route, control: Control, *, fault: str, response_id: str) -> Reply:
        refusal = faults.refusal(fault, _key(asked, route))
        if refusal is not None:
            return frames.error(route, *refusal)
        stamp = Stamp(response_id, tier=control.tier or "")
        if route.vertex:
            now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            stamp = Stamp(response_id, traffic=_traffic(asked.headers), created=now)
        seed = self._material(asked, route)
        return frames.reply(route, asked.body, stamp, seed=seed, wishes=control.wishes, fault=fault)

    def _cast(self, asked: Request, route: Route, control: Control) -> tuple[bytes, str]:
        """Throw the dice of one request: bytes for its id, and the name of its fault."""
        digest = self._material(asked, route)
        repeat = self._repeats.pop(digest, 0)
        self._repeats[digest] = repeat + 1
        if len(self._repeats) > _REMEMBERED:
            self._repeats.popitem(last=False)
        draw = blake2b(b"%b %d" % (digest, repeat), digest_size=24).digest()
        if control.fault is not None:
            return draw, control.fault
        if self._script:
            return draw, self._script.popleft()
        return draw, faults.pick(self.options.faults, int.from_bytes(draw[16:], "big") / 2**64)

    def _material(self, asked: Request, route: Route) -> bytes:
        """What an answer may depend on besides control headers."""
        assert route.model is not None
        name = route.model.name.encode()
        return blake2b(b"%d %b %b" % (self.options.seed, name, asked.body), digest_size=16).digest()


class _Entry:
    """One line of the log, written once: the first word stands."""

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
    exchange: Exchange,
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
    kind = "text/event-stream" if reply.events else "application/json; charset=UTF-8"
    found = [("Content-Type", kind), ("Vary", "Origin, X-Origin, Referer"), ("Date", formatdate(usegmt=True))]
    if reply.events:
        found.append(("Content-Disposition", "attachment"))
    if gzip:
        found.append(("Content-Encoding", "gzip"))
    if reply.tier is not None:
        found.append(("X-Gemini-Service-Tier", reply.tier))
    return [*found, ("Server", "gembill-simulator")]


def _inform(route: Route, asked: Request) -> Reply:
    """What is not a generation: countTokens, one model, the list of models."""
    if route.operation:
        return frames.plain(200, wire.count_tokens(request.count_prompt(request.decode(asked.body))))
    show = wire.publisher_model if route.vertex else wire.model
    if route.model is not None:
        return frames.plain(200, show(route.model))
    return frames.plain(200, _page([show(model) for model in MODELS.values()], route))


def _page(entries: list[dict[str, Any]], route: Route) -> dict[str, Any]:
    size, token = route.query.get("pageSize", ""), route.query.get("pageToken", "")
    if not (f"{size}{token}0".isascii() and f"{size}{token}0".isdigit()):
        raise Refusal(400, "INVALID_ARGUMENT", "pageSize and pageToken must be numbers in this simulator.")
    start = int(token or 0)
    end = start + (int(size or 0) or 50)
    more = {"nextPageToken": str(end)} if end < len(entries) else {}
    return {"publisherModels" if route.vertex else "models": entries[start:end]} | more


def _key(asked: Request, route: Route) -> str:
    bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
    return asked.headers.get("x-goog-api-key") or route.query.get("key") or bearer


def _check_key(asked: Request, route: Route) -> None:
    if not _key(asked, route):
        raise Refusal(403, "PERMISSION_DENIED", "The request carries no API key; this simulator asks for one.")


def _traffic(headers: dict[str, str]) -> str:
    """Vertex says in `trafficType` what its two request headers asked for (gemini-api.md 1.8)."""
    if headers.get("x-vertex-ai-llm-request-type") == "dedicated":
        return "PROVISIONED_THROUGHPUT"
    shared = headers.get("x-vertex-ai-llm-shared-request-type", "")
    return f"ON_DEMAND_{shared.upper()}" if shared in ("flex", "priority") else "ON_DEMAND"


def _either(own: float | None, general: float) -> float:
    return general if own is None else own


async def _wait(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
