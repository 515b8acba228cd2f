"""What the system says of a connection: whether something waits on it, and what the other side has confirmed."""

import asyncio
import socket
import sys

import pytest

from gembill.upstream.wire_state import acknowledged, news_of
from tests.gembill.upstream.scripted import Run


async def _connected(said: bytes) -> tuple[asyncio.Transport, asyncio.StreamReader, asyncio.StreamWriter]:
    """A transport that does not read, and the other end, which has said something."""
    others: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda *both: others.put_nowait(both), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
    transport.pause_reading()
    reader, writer = await others.get()
    server.close()
    writer.write(said)
    return transport, reader, writer


@pytest.mark.parametrize("said", [b"something", b""])
def test_what_waits_to_be_read_is_news_and_so_is_the_end(run: Run, said: bytes) -> None:
    async def scenario() -> None:
        transport, _, writer = await _connected(said)
        news = news_of(transport)
        if not said:
            assert not news(0)
            writer.close()
        async with asyncio.timeout(30):
            while not news(0):
                await asyncio.sleep(0.01)
        transport.abort()
        writer.close()

    run(scenario())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say it")
def test_bytes_are_confirmed_once_the_other_machine_has_them(run: Run) -> None:
    async def scenario() -> None:
        transport, reader, writer = await _connected(b"")
        before = acknowledged(transport)
        assert before is not None
        transport.write(b"hello")
        await reader.readexactly(5)
        async with asyncio.timeout(30):
            while acknowledged(transport) != before + 5:
                await asyncio.sleep(0.01)
        transport.abort()
        writer.close()

    run(scenario())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say it")
def test_asking_closes_nothing_and_of_a_closed_socket_nothing_is_known() -> None:
    class Transport(asyncio.BaseTransport):
        def __init__(self, wire: socket.socket) -> None:
            super().__init__({"socket": wire})

    one, other = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    wire = socket.create_connection(listener.getsockname())
    with one, other, listener, wire:
        transport = Transport(wire)
        for _ in range(3):
            assert acknowledged(transport) is not None
        assert acknowledged(Transport(one)) is None, "it is no connection of TCP"
        one.send(b"still open")
        assert other.recv(10) == b"still open"
    assert acknowledged(transport) is None


def test_of_what_is_no_socket_nothing_is_known() -> None:
    assert acknowledged(asyncio.Transport()) is None
    assert not news_of(asyncio.Transport())(0)
