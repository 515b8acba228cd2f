"""A request's body as it comes, and the framing of its answer: what leaves at once, and what only with the end."""

import asyncio

import pytest

from gembill.capture.admission import check_head
from gembill.capture.http_request import ClientGone, Request

HEAD, _ = check_head("1.1", b"/x", [(b"host", b"h")])
EXPECTING, _ = check_head("1.1", b"/x", [(b"host", b"h"), (b"expect", b"100-continue")])
FIELD = (b"x-a", b"1")


class Wire:
    """A client whose next pieces of a body are given; `closed` says how its connection ended."""

    def __init__(self, *pieces: bytes) -> None:
        self.sent = b""
        self.closed = ""
        self.gone = self.silent = self.stalled = self.stopping = False
        self.made_room = 0
        self.pieces = list(pieces)
        self.request: Request | None = None

    def write(self, data: bytes) -> None:
        self.sent += data

    async def wait(self, _: float) -> None:
        self.stalled = False
        if self.pieces:
            self.request.received(self.pieces.pop(0))
        else:
            self.silent = True

    def read_on(self) -> None:
        self.made_room += 1

    def close(self, *, abort: bool = False) -> None:
        self.closed = "abort" if abort else "close"


def request(wire: Wire, *, method: str = "POST", version: str = "1.1", head=HEAD, length: int | None = None) -> Request:
    wire.request = Request(wire, method, b"/x", version, head, length)
    return wire.request


def answered(status: int, length: int | None, *pieces: bytes, wire: Wire | None = None, **more) -> tuple[bytes, bytes]:
    """What left before the end, and with it."""
    wire = wire or Wire()
    asked = request(wire, **more)
    asked.start(status, [FIELD], length=length)
    for piece in pieces:
        asked.send(piece)
    before = wire.sent
    asked.end()
    assert asked.ended
    return before, wire.sent[len(before) :]


def test_of_a_sized_answer_the_last_byte_waits_for_the_end():
    head = b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n"
    assert answered(200, 5, b"hello") == (head + b"hell", b"o")
    assert answered(200, 5, b"hel", b"lo") == (head + b"hell", b"o")
    assert answered(200, 5, b"hell", b"o") == (head + b"hell", b"o")


def test_of_a_chunked_answer_the_last_chunk_waits_for_the_end():
    head = b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n"
    assert answered(200, None, b"hello", b"!") == (head + b"5\r\nhello\r\n1\r\n!\r\n", b"0\r\n\r\n")
    assert answered(200, None) == (head, b"0\r\n\r\n")


def test_an_answer_without_a_body_waits_whole():
    assert answered(200, 0) == (b"", b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n")
    assert answered(204, None) == (b"", b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n")
    assert answered(304, 5) == (b"", b"HTTP/1.1 304 Not Modified\r\nx-a: 1\r\n\r\n")
    assert answered(200, 5, method="HEAD") == (b"", b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n")
    assert answered(200, None, method="HEAD") == (b"", b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n")


def test_http_1_0_gets_no_chunks_but_the_end_of_the_connection():
    wire = Wire()
    head = b"HTTP/1.1 200 OK\r\nx-a: 1\r\nconnection: close\r\n\r\n"
    assert answered(200, None, b"hello", b"!", wire=wire, version="1.0") == (head + b"hello!", b"")
    assert not wire.request.keep_alive


def test_a_status_of_the_future_passes_without_a_phrase():
    assert answered(299, 1, b"x") == (b"HTTP/1.1 299 \r\nx-a: 1\r\n\r\n", b"x")


def test_an_answer_that_begins_while_the_server_stops_is_the_last():
    wire = Wire()
    wire.stopping = True
    before, _ = answered(200, 1, b"x", wire=wire)
    assert before.endswith(b"connection: close\r\n\r\n")
    assert not wire.request.keep_alive


@pytest.mark.parametrize(
    ("version", "length", "how"), [("1.1", 5, "close"), ("1.1", None, "close"), ("1.0", 5, "close"), ("1.0", None, "abort")]
)  # fmt: skip
def test_an_answer_that_is_cut_never_looks_whole(version, length, how):
    wire = Wire()
    asked = request(wire, version=version)
    asked.start(200, [], length=length)
    asked.send(b"abc")
    asked.cut()
    assert (wire.closed, asked.ended) == (how, False)


def test_a_body_is_read_as_it_comes_and_every_read_makes_room():
    wire = Wire(b"one", b"two")
    asked = request(wire)
    asked.received(b"ze")
    asked.received(b"ro")

    async def scenario() -> list[bytes]:
        pieces = [await asked.read(), await asked.read(), await asked.read()]
        asked.complete = True
        return [*pieces, await asked.read()]

    assert asked.take_whole() is None
    assert asyncio.run(scenario()) == [b"zero", b"one", b"two", b""]
    assert (wire.made_room, asked.buffered) == (3, 0)


def test_a_body_that_is_there_is_taken_whole():
    asked = request(Wire())
    for piece in (b"a", b"b"):
        asked.received(piece)
    asked.complete = True
    assert asked.take_whole() == b"ab"
    assert asyncio.run(asked.read()) == b""


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(how):
    wire = Wire()
    asked = request(wire, length=9)
    asked.received(b"part")
    setattr(wire, how, True)

    async def scenario() -> None:
        assert await asked.read() == b"part"
        with pytest.raises(ClientGone):
            await asked.read()

    asyncio.run(scenario())


def test_a_100_is_said_once_and_only_to_those_who_wait_for_it():
    async def scenario(asked: Request) -> None:
        assert await asked.read() == b""

    for head, answering, said in ((EXPECTING, False, 1), (EXPECTING, True, 0), (HEAD, False, 0)):
        wire = Wire(b"", b"")
        asked = request(wire, head=head)
        asked.answering = answering
        asyncio.run(scenario(asked))
        assert wire.sent.count(b"HTTP/1.1 100 Continue\r\n\r\n") == said


def test_a_client_that_stalls_is_waited_for():
    wire = Wire()
    asked = request(wire)
    wire.stalled = True
    assert asked.stalled
    asyncio.run(asked.drained())
    assert not wire.stalled
    wire.stalled = wire.gone = True
    asyncio.run(asked.drained())
    assert wire.stalled, "one that has left is not"


def test_what_comes_behind_an_answer_is_counted_and_dropped():
    asked = request(Wire())
    asked.start(200, [], length=0)
    asked.end()
    asked.received(b"late")
    assert (asked.content, asked.buffered, asked.take_whole()) == (4, 0, None)
