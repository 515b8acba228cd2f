"""The reader's side of an answer, and the same answers as the reference client, aiohttp's, gives."""

import asyncio

import aiohttp
import pytest

from gembill.errors import UpstreamCut, UpstreamError
from gembill.upstream import Upstream
from gembill.upstream.response import Response
from tests.gembill.upstream.scripted import OK, Run, Script, served, whole


def once(wire: bytes, *, linger: bool = False) -> Script:
    """A server that answers one request of each connection with `wire` and leaves, or waits for the client to leave."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"hello")
        writer.write(wire)
        if linger:
            await reader.read()

    return script


async def post(upstream: Upstream) -> Response:
    return await upstream.request(b"POST", b"/v1/x", [(b"content-length", b"5")], b"hello", length=5)


def test_an_answer_given_up_is_never_taken_for_one_that_ended(run: Run) -> None:
    async def scenario() -> None:
        async with served(once(OK + b"Content-Length: 3\r\n\r\none")) as upstream:
            answer = await post(upstream)
            await whole(answer)
            answer.abort()
            assert (await answer.read(), upstream.connections_open) == (b"", upstream.connections_idle)
        async with served(once(OK + b"Content-Length: 9\r\n\r\nhalf", linger=True)) as upstream:
            answer = await post(upstream)
            answer.abort()
            with pytest.raises(UpstreamCut, match="given up by its reader"):
                await answer.read()
            assert upstream.connections_idle == 0

    run(scenario())


def test_giving_up_wakes_a_reader_that_waits(run: Run) -> None:
    async def scenario() -> None:
        async with served(once(OK + b"Content-Length: 9\r\n\r\nhalf", linger=True)) as upstream:
            answer = await post(upstream)
            assert await answer.read() == b"half"
            asyncio.get_running_loop().call_later(0.01, answer.abort)
            with pytest.raises(UpstreamCut, match="given up by its reader"):
                await answer.read()

    run(scenario())


def test_pieces_that_came_together_are_read_together(run: Run) -> None:
    async def scenario() -> None:
        wire = OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        async with served(once(wire)) as upstream:
            answer = await post(upstream)
            await asyncio.sleep(0.02)
            assert [await answer.read(), await answer.read(), await answer.read()] == [b"ab", b"", b""]

    run(scenario())


ONE = OK + b"Content-Length: 3\r\n\r\none"
REFERENCE = [
    ONE,
    OK + b"Transfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n1;e\r\na\r\n2\r\nbc\r\n0\r\nT: 1\r\n\r\n",
    OK + b"X: ends with the connection\r\n\r\nabc",
    OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\0\0",
    b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy",
    b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + ONE,
    b"HTTP/1.0 200 OK\r\n\r\nold",
]


@pytest.mark.parametrize("wire", REFERENCE)
def test_an_answer_is_what_the_reference_client_sees(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with served(once(wire)) as upstream:
            answer = await post(upstream)
            ours = (answer.head.status, answer.head.headers, await whole(answer))
            async with aiohttp.ClientSession(auto_decompress=False) as session:
                reply = await session.post(str(upstream.origin), data=b"hello", allow_redirects=False)
                theirs = (reply.status, list(reply.raw_headers), await reply.read())
            assert ours == theirs

    run(scenario())


@pytest.mark.parametrize(
    "wire", [OK + b"Content-Length: 9\r\n\r\nhalf", OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"]
)
def test_a_broken_answer_is_broken_for_the_reference_client_too(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with served(once(wire)) as upstream, aiohttp.ClientSession() as session:
            with pytest.raises(UpstreamError):
                await whole(await post(upstream))
            reply = await session.post(str(upstream.origin), data=b"hello")
            with pytest.raises(aiohttp.ClientError):
                await reply.read()

    run(scenario())
