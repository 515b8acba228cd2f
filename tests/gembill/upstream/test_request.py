"""Requests on the wire: the head's text, sized and chunked bodies, early answers, back-pressure."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import UpstreamTimeout, UpstreamUnreachable
from gembill.upstream.connection import Limits
from gembill.upstream.request import HeadFields, request_head
from tests.gembill.upstream.scripted import OK, Run, served, whole


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with the very bytes it had on the wire."""
    while True:
        wire = await reader.readuntil(b"\r\n\r\n")
        head = wire.lower()
        if b"content-length: " in head:
            wire += await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if b"transfer-encoding: chunked" in head:
            wire += await reader.readuntil(b"0\r\n\r\n")
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(wire) + wire)


async def source(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def never() -> AsyncIterator[bytes]:
    yield b"first"
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("body", "length", "tail"),
    [
        (None, 0, b"X-A: 1\r\nx-a:  2\r\n\r\n"),
        (None, None, b"X-A: 1\r\nx-a:  2\r\n\r\n"),
        (b"hello", 5, b"X-A: 1\r\nx-a:  2\r\nContent-Length: 5\r\n\r\nhello"),
        (b"hello", None, b"X-A: 1\r\nx-a:  2\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ([b"he", b"", b"llo"], 5, b"X-A: 1\r\nx-a:  2\r\nContent-Length: 5\r\n\r\nhello"),
        (
            [b"", b"he", b"", b"llo"],
            None,
            b"X-A: 1\r\nx-a:  2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ),
        ([], None, b"X-A: 1\r\nx-a:  2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ],
)
def test_the_wire_has_the_given_parts_and_nothing_else(run: Run, body: Any, length: int | None, tail: bytes) -> None:
    async def scenario() -> None:
        fields = [(b"X-A", b"1"), (b"x-a", b" 2")] + ([(b"Content-Length", b"5")] if length else [])
        async with served(echo) as upstream:
            for _ in range(2):
                given = source(*body) if isinstance(body, list) else body
                answer = await upstream.request(b"POST", b"/v1/a:b?c=%20d", fields, given, length=length)
                start = b"POST /v1/a:b?c=%20d HTTP/1.1\r\nHost: " + upstream.origin.host_header + b"\r\n"
                assert await whole(answer) == start + tail
            assert upstream.connections_opened == 1

    run(scenario())


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\r\n", b"\r\nX: y", b"\0"])
def test_line_breaks_anywhere_in_a_head_are_refused_in_words_without_its_content(bad: bytes) -> None:
    for start, name, value in (
        (b"/SECRET" + bad, b"n", b"v"),
        (b"/", b"SECRET" + bad, b"v"),
        (b"/", b"n", b"SECRET" + bad),
    ):
        with pytest.raises(ValueError, match="line break") as caught:
            request_head(b"GET " + start + b" HTTP/1.1\r\nHost: h\r\n", [(name, value)], 0, chunked=False)
        assert "SECRET" not in str(caught.value)


def test_a_space_in_the_target_is_refused() -> None:
    with pytest.raises(ValueError, match="a space"):
        request_head(b"GET /a b HTTP/1.1\r\nHost: h\r\n", [], 0, chunked=False)


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([(b"Host", b"evil")], 0),
        ([(b"Transfer-Encoding", b"chunked")], None),
        ([(b"content-length", b"5")], None),
        ([(b"content-length", b"5")], 6),
        ([(b"content-length", b"+5")], 5),
        ([(b"content-length", b"5"), (b"Content-Length", b"5")], 5),
        ([], 5),
    ],
)
def test_fields_that_frame_the_body_otherwise_are_refused(
    fields: list[tuple[bytes, bytes]], length: int | None
) -> None:
    with pytest.raises(ValueError, match="contradict"):
        request_head(b"GET / HTTP/1.1\r\nHost: h\r\n", fields, length, chunked=False)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"host", b"evil")],
        [(b"transfer-encoding", b"chunked")],
        [(b"content-length", b""), (b"content-length", b"")],
        [(b"content-length", b"5")],
        [(b"n", b"v\n")],
        [(b"n\r", b"v")],
        [(b"n", b"v\0"), (b"content-length", b"")],
        [(b"content-length", b""), (b"n", b"v\r\nX: y")],
    ],
)
def test_fields_of_many_requests_are_refused_as_those_of_one(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ValueError, match=r"frame|framing|line break"):
        HeadFields(fields)


def test_a_length_with_zeros_in_front_goes_on_as_it_came() -> None:
    assert HeadFields([(b"content-length", b"00")]).lines(7) == b"content-length: 007\r\n"


def test_fields_of_many_requests_stay_in_their_order_around_the_length_of_each() -> None:
    sized = HeadFields([(b"a", b"1"), (b"content-length", b""), (b"b", b"2")])
    plain = HeadFields([(b"a", b"1"), (b"b", b"2")])
    start = b"POST /x HTTP/1.1\r\nHost: h\r\n"
    for length in (0, 12, 3456):
        lines = b"a: 1\r\ncontent-length: %d\r\nb: 2\r\n\r\n" % length
        assert request_head(start, sized, length, chunked=False) == start + lines
    assert request_head(start, plain, 0, chunked=False) == start + b"a: 1\r\nb: 2\r\n\r\n"
    lines = b"a: 1\r\nb: 2\r\ntransfer-encoding: chunked\r\n\r\n"
    assert request_head(start, plain, None, chunked=True) == start + lines
    for fields, length in ((sized, None), (plain, 5)):
        with pytest.raises(ValueError, match="contradict"):
            request_head(start, fields, length, chunked=False)


@given(st.binary(), st.binary(), st.binary())
def test_no_field_can_add_a_line_to_a_head(target: bytes, name: bytes, value: bytes) -> None:
    start = b"GET /" + target + b" HTTP/1.1\r\nHost: h\r\n"
    try:
        head = request_head(start, [(name, value)], 0, chunked=False)
    except ValueError:
        return
    assert head.split(b"\r\n") == [*start.split(b"\r\n")[:2], name + b": " + value, b"", b""]


@pytest.mark.parametrize("pieces", [[b"12345", b"6"], [b"123456"], [b"1234"], []])
def test_a_body_of_another_length_than_stated_never_completes_a_request(run: Run, pieces: list[bytes]) -> None:
    async def scenario() -> None:
        async with served(echo) as upstream:
            with pytest.raises(ValueError, match="its stated length is 5"):
                await upstream.request(b"POST", b"/", [(b"content-length", b"5")], source(*pieces), length=5)
            assert upstream.connections_idle == 0

    run(scenario())


def test_an_error_of_the_body_itself_comes_through_and_closes_the_connection(run: Run) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"some"
        raise ZeroDivisionError

    async def scenario() -> None:
        async with served(echo) as upstream:
            with pytest.raises(ZeroDivisionError):
                await upstream.request(b"POST", b"/", [], broken(), length=None)
            assert upstream.connections_idle == 0

    run(scenario())


def test_a_sized_body_runs_to_its_own_end_after_its_last_byte_was_sent(run: Run) -> None:
    async def scenario() -> None:
        after: list[bytes] = []

        async def body() -> AsyncIterator[bytes]:
            for piece in (b"he", b"llo"):
                yield piece
                after.append(piece)

        async with served(echo) as upstream:
            answer = await upstream.request(b"POST", b"/", [(b"content-length", b"5")], body(), length=5)
            assert (await whole(answer))[-5:] == b"hello"
            assert after == [b"he", b"llo"]
            assert upstream.connections_idle == 1

    run(scenario())


@pytest.mark.parametrize("length", [None, 50_000_000])
def test_an_early_answer_stops_a_body_that_waits_for_its_next_piece(run: Run, length: int | None) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"first")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await reader.read()

    async def scenario() -> None:
        fields = [(b"content-length", b"%d" % length)] if length else []
        async with served(refuse) as upstream, asyncio.timeout(60):
            answer = await upstream.request(b"POST", b"/", fields, never(), length=length)
            assert (answer.head.status, await whole(answer)) == (413, b"big")
            assert upstream.connections_idle == 0
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            await asyncio.sleep(0)

    run(scenario())


def test_an_early_answer_stops_a_body_that_waits_for_room(run: Run) -> None:
    had = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Slow down\r\nContent-Length: 4\r\n\r\nslow")
        await had.wait()  # a connection that is closed with bytes unread is reset, and then what it sent may be lost

    async def scenario() -> None:
        async with served(refuse) as upstream, asyncio.timeout(60):
            answer = await upstream.request(b"POST", b"/", [], source(*[b"x" * 1_000_000] * 50), length=None)
            assert (answer.head.status, await whole(answer)) == (429, b"slow")
            had.set()
            assert upstream.connections_idle == 0

    run(scenario())


def test_a_fresh_connection_lost_while_the_body_waits_is_reported_at_once(run: Run) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"first")

    async def scenario() -> None:
        async with served(leave) as upstream, asyncio.timeout(60):
            with pytest.raises(UpstreamUnreachable, match="before it began to answer"):
                await upstream.request(b"POST", b"/", [], never(), length=None)

    run(scenario())


def test_an_upstream_that_takes_no_more_of_a_body_is_given_up_in_time(run: Run) -> None:
    given_up = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        await given_up.wait()

    async def scenario() -> None:
        async with served(stall, Limits(idle_s=0.2)) as upstream:
            with pytest.raises(UpstreamTimeout, match=r"took nothing more of the request for 0\.2 s"):
                await upstream.request(b"POST", b"/", [], b"x" * 30_000_000, length=None)
            given_up.set()

    run(scenario())


def test_cancelling_the_caller_is_not_mistaken_for_an_early_answer(run: Run) -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"first")
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        await reader.read()

    async def scenario() -> None:
        async with served(early) as upstream:
            for delay in (0.0, 0.0005, 0.001, 0.002, 0.005):
                task = asyncio.ensure_future(upstream.request(b"POST", b"/", [], never(), length=None))
                await asyncio.sleep(delay)
                if task.cancel():
                    with pytest.raises(asyncio.CancelledError):
                        await task
                else:
                    assert task.result().head.status == 200
            async with asyncio.timeout(60):
                while upstream.connections_open:
                    await asyncio.sleep(0.01)

    run(scenario())


@pytest.mark.parametrize("sized", [True, False])
def test_a_large_body_waits_for_the_upstream_in_bounded_memory(run: Run, sized: bool) -> None:
    block, rounds = bytes(range(256)) * 1024, 80  # 20 MiB
    pulled = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal pulled
        for _ in range(rounds):
            pulled += len(block)
            yield block

    async def digest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        assert pulled < len(block) * rounds / 2
        digest, left = hashlib.sha256(), len(block) * rounds
        while left:
            size = int(await reader.readline(), 16) if b"chunked" in head else left
            left -= size
            while size:
                piece = await reader.read(min(size, 1 << 16))
                size -= len(piece)
                digest.update(piece)
            if b"chunked" in head:
                await reader.readexactly(2)
        if b"chunked" in head:
            assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.write(OK + b"Content-Length: 32\r\n\r\n" + digest.digest())
        await reader.read()

    async def scenario() -> None:
        length = len(block) * rounds if sized else None
        fields = [(b"content-length", b"%d" % length)] if length else []
        async with served(digest) as upstream:
            tracemalloc.start()
            answer = await upstream.request(b"POST", b"/", fields, body(), length=length)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert await whole(answer) == hashlib.sha256(block * rounds).digest()
            assert peak < 6 * 1024 * 1024
            assert upstream.connections_idle == 1

    run(scenario())
