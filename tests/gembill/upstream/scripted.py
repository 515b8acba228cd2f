"""Scripted servers for the tests of the upstream client, on both event loops.

Owns: a server that does what a script says, a client of it, and the loops they run on. Not here: the scripts.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gembill.upstream import Origin, Upstream
from gembill.upstream.connection import Limits
from gembill.upstream.response import Response

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Any:
    factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run


@asynccontextmanager
async def served(
    script: Script, limits: Limits | None = None, *, tls: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[Upstream]:
    """A server that runs `script` for every connection, and a client of it; nothing is left open behind."""

    handlers: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await script(reader, writer)
            writer.close()
            await writer.wait_closed()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()  # the client went first

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    upstream = Upstream(Origin("https" if tls else "http", "127.0.0.1", port), limits, **more)
    try:
        yield upstream
    finally:
        await upstream.close()
        assert upstream.connections_open == upstream.connections_idle == 0
        server.close()
        await asyncio.wait_for(asyncio.gather(*handlers), 60)
        await asyncio.sleep(0)


def replies(*scripts: Sequence[bytes | None]) -> Script:
    """The n-th connection answers its requests with the n-th list, then closes on the next one, or at a None."""
    left = list(scripts)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in left.pop(0):
            if answer is None:
                return
            await read_request(reader)
            writer.write(answer)
        await read_request(reader)

    return script


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        return await reader.readuntil(b"0\r\n\r\n")
    if b"content-length: " in head:
        return await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return b""


async def whole(answer: Response) -> bytes:
    got = b""
    while piece := await answer.read():
        got += piece
    return got
