"""What the upstream client costs, against aiohttp's client in the same run: `python tests/bench/bench_upstream.py`.

Owns: two figures and their ratios to the reference. CPU microseconds of the client's process for each small request
(user and system time; the server is another process), with 1 and 32 in flight; and microseconds from sending a request
to holding its first event, of a stream whose second event comes 20 ms later. Rounds alternate between the two clients;
the median of the rounds' ratios is printed, since neighbours' noise moves both sides of a pair.
"""

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import aiohttp
import uvloop

from gembill.upstream import Origin, Upstream

ROUNDS = 5
REQUESTS = 2000
STREAMS = 40
REQUEST = b'{"contents": [{"parts": [{"text": "' + b"Sum the first 50 primes. " * 8 + b'"}]}]}'
FIELDS = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", b"google-genai-sdk/3.4.0 gl-python/3.11"),
    (b"x-goog-api-key", b"none"),
    (b"x-goog-api-client", b"google-genai-sdk/3.4.0 gl-python/3.11"),
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(REQUEST)),
]
NAMED = {name.decode(): value.decode() for name, value in FIELDS if name != b"content-length"}
BODY = b'{"candidates": "' + b"x" * 3000 + b'"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nVary: Origin\r\nServer: scaffolding\r\n"
    b"Date: Sat, 21 Nov 2026 09:00:00 GMT\r\nX-XSS-Protection: 0\r\nX-Frame-Options: SAMEORIGIN\r\n"
    b"X-Content-Type-Options: nosniff\r\nServer-Timing: gfet4t7; dur=900\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
EVENT = b'data: {"candidates": []}\r\n\r\n'
FIRST = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(EVENT), EVENT)
LAST = b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT)

Call = Callable[[], Awaitable[None]]


class _Server(asyncio.Protocol):
    """Answers as soon as a request's body is there; a target with `stream` gets two events, 20 ms apart."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.buffer.endswith(REQUEST):
            streamed, self.buffer = b"stream" in self.buffer[:40], b""
            self.transport.write(FIRST if streamed else ANSWER)  # type: ignore[attr-defined]
            if streamed:
                asyncio.get_running_loop().call_later(0.02, self.transport.write, LAST)  # type: ignore[attr-defined]


def _serve(tell: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
        tell.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


async def _cpu(call: Call, flight: int) -> float:
    """CPU microseconds of this process for one request, `flight` at a time."""

    async def worker() -> None:
        for _ in range(REQUESTS // flight):
            await call()

    start = time.process_time()
    await asyncio.gather(*(worker() for _ in range(flight)))
    return (time.process_time() - start) / (REQUESTS // flight * flight) * 1e6


async def _first(first_event: Callable[[], Awaitable[float]]) -> float:
    """Median microseconds to a stream's first event."""
    return statistics.median([await first_event() for _ in range(STREAMS)]) * 1e6


def _ours(upstream: Upstream) -> tuple[Call, Callable[[], Awaitable[float]]]:
    async def call() -> None:
        answer = await upstream.request(b"POST", b"/v1/call", FIELDS, REQUEST, length=len(REQUEST))
        size = 0
        while piece := await answer.read():
            size += len(piece)
        assert size == len(BODY)

    async def first_event() -> float:
        start = time.perf_counter()
        answer = await upstream.request(b"POST", b"/v1/stream", FIELDS, REQUEST, length=len(REQUEST))
        assert await answer.read() == EVENT
        took = time.perf_counter() - start
        while await answer.read():
            pass
        return took

    return call, first_event


def _theirs(session: aiohttp.ClientSession, url: str) -> tuple[Call, Callable[[], Awaitable[float]]]:
    async def call() -> None:
        async with session.post(f"{url}/v1/call", data=REQUEST, headers=NAMED) as reply:
            size = 0
            async for piece in reply.content.iter_any():
                size += len(piece)
            assert size == len(BODY)

    async def first_event() -> float:
        start = time.perf_counter()
        async with session.post(f"{url}/v1/stream", data=REQUEST, headers=NAMED) as reply:
            assert await reply.content.readany() == EVENT
            took = time.perf_counter() - start
            await reply.read()
        return took

    return call, first_event


async def _compare(port: int) -> dict[str, list[tuple[float, float]]]:
    """Pairs (ours, aiohttp's) for each figure."""
    upstream = Upstream(Origin("http", "127.0.0.1", port))
    connector = aiohttp.TCPConnector(limit=0)
    pairs: dict[str, list[tuple[float, float]]] = {}
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        (call, event), (their_call, their_event) = _ours(upstream), _theirs(session, str(upstream.origin))
        await _cpu(call, 32)
        await _cpu(their_call, 32)
        for _ in range(ROUNDS):
            for flight in (1, 32):
                pair = (await _cpu(call, flight), await _cpu(their_call, flight))
                pairs.setdefault(f"CPU us for a request, {flight} in flight", []).append(pair)
            pairs.setdefault("us to the first event", []).append((await _first(event), await _first(their_event)))
    await upstream.close()
    return pairs


def main() -> None:
    """Run on both loops and print a table."""
    for loop in ("uvloop", "asyncio"):
        parent, child = multiprocessing.Pipe()
        server = multiprocessing.Process(target=_serve, args=(child,), daemon=True)
        server.start()
        port: int = parent.recv()
        factory = uvloop.new_event_loop if loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            for name, pairs in runner.run(_compare(port)).items():
                ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
                ratio = statistics.median(their / our for our, their in pairs)
                sys.stdout.write(f"{loop:8} {name:36} ours {ours:7.1f}  aiohttp {theirs:7.1f}  {ratio:5.2f} x less\n")
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
