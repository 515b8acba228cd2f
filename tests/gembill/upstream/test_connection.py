"""Framing, back-pressure and deadlines of answers, from servers on loopback that misbehave on purpose."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gembill.errors import UpstreamCut, UpstreamTimeout, UpstreamUnreachable
from gembill.upstream import Upstream
from gembill.upstream.connection import HEAD_BYTES, HEAD_FIELDS, Limits
from gembill.upstream.response import Response
from tests.gembill.upstream.scripted import OK, Run, Script, served, whole

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def replies(*answers: bytes | list[bytes], close: bool = True) -> Script:
    """One answer for each request of a connection (in pieces when a list), then the end of the connection."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            for piece in [answer] if isinstance(answer, bytes) else answer:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001 if isinstance(answer, list) else 0)
        if not close:
            await reader.read()

    return script


async def get(upstream: Upstream, method: bytes = b"GET") -> Response:
    return await upstream.request(method, b"/v1/x?key=SECRET", [(b"accept", b"*/*")], None, length=0)


async def collect(answer: Response, got: list[bytes]) -> None:
    while piece := await answer.read():
        got.append(piece)


async def pieces_of(answer: Response) -> AsyncIterator[bytes]:
    while piece := await answer.read():
        yield piece


@pytest.mark.parametrize(
    ("wire", "length", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", 5, b"hello"),
        (OK + b"content-length: 0\r\n\r\n", 0, b""),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", None, b"hello"),
        (CHUNKED + b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n", None, b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 99, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n1", 1, b"1"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + OK + b"Content-Length: 1\r\n\r\n1", 1, b"1"),
        (OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\n1", 1, b"1"),
    ],
)
def test_an_answer_that_ends_by_its_framing_gives_its_connection_back(
    run: Run, wire: bytes, length: int | None, body: bytes
) -> None:
    async def scenario() -> None:
        async with served(replies(wire, wire, close=False)) as upstream:
            for _ in range(2):
                answer = await get(upstream)
                assert (await whole(answer), answer.head.length) == (body, length)
                assert upstream.connections_idle == 1
            assert upstream.connections_opened == 1

    run(scenario())


def test_headers_keep_their_order_and_case_and_values(run: Run) -> None:
    async def scenario() -> None:
        wire = b"HTTP/1.1 429 Slow\r\nX-b: 2\r\nx-A:\t1  1\r\nX-B: \xff\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
        async with served(replies(wire)) as upstream:
            head = (await get(upstream)).head
            fields = [(b"X-b", b"2"), (b"x-A", b"1  1"), (b"X-B", b"\xff"), (b"Empty", b""), (b"Content-Length", b"0")]
            assert (head.status, head.http_version, head.headers) == (429, "1.1", fields)

    run(scenario())


def test_a_head_answer_has_no_body_and_leaves_the_connection_clean(run: Run) -> None:
    async def scenario() -> None:
        wire = OK + b"Content-Length: 7\r\n\r\n"
        async with served(replies(wire, wire, wire + b"content", close=False)) as upstream:
            for method, body in ((b"HEAD", b""), (b"HEAD", b""), (b"GET", b"content")):
                answer = await get(upstream, method)
                assert (answer.head.length, await whole(answer)) == (7, body)
            assert upstream.connections_opened == 1

    run(scenario())


@pytest.mark.parametrize(
    "wire",
    [
        OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 4\r\n\r\nevil",
        OK + b"Content-Length: 2\r\n\r\nokjunk",
        CHUNKED + b"2\r\nok\r\n0\r\n\r\nHT",
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"\r\nok",
    ],
    ids=["second answer", "junk", "half an answer", "asked to close", "HTTP/1.0", "ended by the connection"],
)
def test_a_connection_that_may_not_be_used_again_is_closed(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with served(replies(wire)) as upstream:
            for opened in (1, 2):
                answer = await get(upstream)
                assert await whole(answer) == b"ok"
                assert (upstream.connections_idle, upstream.connections_opened) == (0, opened)

    run(scenario())


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "cannot frame"),
        (b"HTTP/1.1 2", "in the head"),
        (OK + b"X: " + b"a" * HEAD_BYTES + b"\r\n\r\n", f"{HEAD_BYTES} bytes"),
        (OK + b"X: " + b"a" * 4 * HEAD_BYTES, f"{HEAD_BYTES} bytes"),
        (OK + b"A: b\r\n" * (HEAD_FIELDS + 1) + b"\r\n", f"more than {HEAD_FIELDS} fields"),
        (OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "cannot frame"),
        (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "cannot frame"),
        (OK + b"Content-Length: -1\r\n\r\n", "cannot frame"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "transfer coding"),
        (OK + b"Transfer-Encoding: gzip\r\n\r\nabc", "transfer coding"),
        (b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "version"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "switches protocols"),
        (b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" * 3000, f"{HEAD_BYTES} bytes"),
    ],
)
def test_a_head_that_cannot_be_framed_is_a_cut_in_words_without_its_content(run: Run, wire: bytes, words: str) -> None:
    async def scenario() -> None:
        async with served(replies(wire)) as upstream:
            with pytest.raises(UpstreamCut, match=words) as caught:
                await get(upstream)
            assert "http://127.0.0.1" in str(caught.value)
            assert "SECRET" not in str(caught.value)
            assert upstream.connections_idle == 0

    run(scenario())


@pytest.mark.parametrize(
    "wire",
    [
        OK + b"Content-Length: 9\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        CHUNKED + b"5\r\nhello\r\nzz\r\n",
        CHUNKED + b"5\r\nhelloworld\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n" + b"X-Trailer: more\r\n" * 9000,
    ],
    ids=["sized", "chunked", "no last line", "bad size", "bad chunk", "endless trailers"],
)
def test_a_body_that_breaks_off_is_handed_out_and_then_reported_as_a_cut(run: Run, wire: bytes) -> None:
    async def scenario() -> None:
        async with served(replies(wire)) as upstream:
            answer = await get(upstream)
            got: list[bytes] = []
            for _ in range(2):
                with pytest.raises(UpstreamCut):
                    await collect(answer, got)
            assert b"".join(got) == b"hello"

    run(scenario())


def test_a_reset_of_a_body_that_ends_with_the_connection_is_not_its_end(run: Run) -> None:
    had = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"\r\nhello")
        await had.wait()  # what a reset connection sent before may be lost
        writer.transport.get_extra_info("socket").setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER 0: send RST
        writer.transport.abort()

    async def scenario() -> None:
        async with served(script) as upstream:
            answer = await get(upstream)
            assert await answer.read() == b"hello"
            had.set()
            with pytest.raises(UpstreamCut):
                await answer.read()

    run(scenario())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.binary(min_size=1, max_size=40), max_size=6), cuts=st.lists(st.integers(1, 200), max_size=12))
def test_a_chunked_answer_survives_any_cut_of_the_wire(parts: list[bytes], cuts: list[int]) -> None:
    wire = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nT: 1\r\n\r\n"
    bounds = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    pieces = [wire[start:end] for start, end in pairwise(bounds)]

    async def scenario() -> None:
        async with served(replies(pieces, close=False)) as upstream:
            assert await whole(await get(upstream)) == b"".join(parts)
            assert upstream.connections_idle == 1

    asyncio.run(scenario())


def test_the_first_event_is_handed_out_before_the_second_is_sent(run: Run) -> None:
    async def scenario() -> None:
        seen = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(CHUNKED + b"8\r\ndata: 1\n\r\n")
            await seen.wait()
            writer.write(b"8\r\ndata: 2\n\r\n0\r\n\r\n")
            await reader.read()

        async with served(script) as upstream, asyncio.timeout(60):
            answer = await get(upstream)
            assert await answer.read() == b"data: 1\n"
            seen.set()
            assert await whole(answer) == b"data: 2\n"

    run(scenario())


def test_a_large_answer_waits_for_its_reader_in_bounded_memory(run: Run) -> None:
    block = bytes(range(256)) * 1024
    rounds = 80  # 20 MiB

    async def scenario() -> None:
        sent = 0

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK + b"Content-Length: %d\r\n\r\n" % (len(block) * rounds))
            for _ in range(rounds):
                writer.write(block)
                await writer.drain()
                sent += len(block)
            await reader.read()

        async with served(script) as upstream:
            answer = await get(upstream)
            await asyncio.sleep(0.1)
            assert sent < len(block) * rounds / 2
            assert answer.buffered < 1024 * 1024
            digest = hashlib.sha256()
            tracemalloc.start()
            async for piece in pieces_of(answer):
                digest.update(piece)
                await asyncio.sleep(0)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert digest.digest() == hashlib.sha256(block * rounds).digest()
            assert peak < 6 * 1024 * 1024
            assert upstream.connections_idle == 1

    run(scenario())


@pytest.mark.parametrize(
    ("wire", "fault", "words"),
    [
        (b"", UpstreamTimeout, "did not begin to answer within 0.5 s"),
        (b"HTTP/1.1 200 O", UpstreamCut, "head of its answer in 0.5 s"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", UpstreamCut, "head of its answer in 0.5 s"),
        (OK + b"Content-Length: 5\r\n\r\nhell", UpstreamCut, "nothing more of its answer for 0.2 s"),
        (OK + b"\r\nhell", UpstreamCut, "nothing more of its answer for 0.2 s"),
    ],
)
def test_a_silent_upstream_is_given_up_in_time(run: Run, wire: bytes, fault: type[Exception], words: str) -> None:
    async def scenario() -> None:
        async with served(replies(wire, close=False), Limits(answer_s=0.5, idle_s=0.2)) as upstream:
            with pytest.raises(fault, match=words):
                await whole(await get(upstream))
            assert upstream.connections_idle == 0

    run(scenario())


def test_a_slow_reader_is_not_a_silent_upstream(run: Run) -> None:
    async def scenario() -> None:
        wire = OK + b"Content-Length: 4000000\r\n\r\n" + b"x" * 4_000_000
        async with served(replies(wire, close=False), Limits(idle_s=0.5)) as upstream:
            answer = await get(upstream)
            await asyncio.sleep(0.7)
            assert len(await whole(answer)) == 4_000_000

    run(scenario())


def test_a_connection_closed_before_any_byte_is_unreachable_and_not_retried_when_fresh(run: Run) -> None:
    async def scenario() -> None:
        async with served(replies(b"")) as upstream:
            with pytest.raises(UpstreamUnreachable, match="before it began to answer"):
                await get(upstream)
            assert upstream.connections_opened == 1

    run(scenario())
