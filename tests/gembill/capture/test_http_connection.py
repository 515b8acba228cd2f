"""Connections on raw sockets: what is malformed is refused, the rest is answered in its order, slow clients are given up."""

import asyncio
import contextlib
import json
import math
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.capture import http_connection as connections
from gembill.capture import http_request as requests
from gembill.capture.admission import MAX_HEAD
from gembill.capture.http_connection import BUFFER, HttpConnection
from tests.gembill.capture.served import (
    CHUNKED,
    CLOSING,
    GOOD,
    POST,
    SIZED,
    Answering,
    Transport,
    answer_ok,
    connect,
    rest,
    serving,
    talk,
    until,
)

LINE = b"POST /v1beta/models HTTP/1.1\r\n"
MALFORMED = {
    "absolute form": b"GET http://evil.example/v1beta/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "absolute form in capitals": b"GET HTTP://evil.example/v1beta/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two slashes": b"GET //evil.example/v1beta/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "authority form": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /v1beta/models HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "two equal hosts": b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "host with user": b"GET /v1beta/models HTTP/1.1\r\nHost: a@evil.example\r\n\r\n",
    "host with path": b"GET /v1beta/models HTTP/1.1\r\nHost: evil.example/x\r\n\r\n",
    "host with query": b"GET /v1beta/models HTTP/1.1\r\nHost: evil.example?x\r\n\r\n",
    "empty host": b"GET /v1beta/models HTTP/1.1\r\nHost: \r\n\r\n",
    "length and chunked": LINE + b"Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": LINE + b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": LINE + b"Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": LINE + b"Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "list of lengths": LINE + b"Host: a\r\nContent-Length: 3, 3\r\n\r\nabc",
    "negative length": LINE + b"Host: a\r\nContent-Length: -1\r\n\r\n",
    "signed length": LINE + b"Host: a\r\nContent-Length: +3\r\n\r\nabc",
    "hexadecimal length": LINE + b"Host: a\r\nContent-Length: 0x3\r\n\r\nabc",
    "huge length": LINE + b"Host: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "unknown coding": LINE + b"Host: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "coding twice": LINE + b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in disguise": LINE + b"Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding over lines": LINE + b"Host: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /v1beta/models HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length with underscore": LINE + b"Host: a\r\nContent_Length: 3\r\n\r\nabc",
    "coding with underscore": LINE + b"Host: a\r\nTransfer_Encoding: chunked\r\n\r\n",
    "space before the colon": LINE + b"Host: a\r\nContent-Length : 3\r\n\r\nabc",
    "bare line feeds": b"GET /v1beta/models HTTP/1.1\nHost: localhost\n\n",
    "null in a header": b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    "carriage return in a header": b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    "no version": b"GET /v1beta/models\r\nHost: localhost\r\n\r\n",
    "odd version": b"GET /v1beta/models HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 8 + b"\r\n\r\n",
    "large head": b"GET /v1beta/models HTTP/1.1\r\nHost: a\r\n"
    + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 1000) for n in range(70))
    + b"\r\n",
    "one large header": b"GET /v1beta/models HTTP/1.1\r\nHost: a\r\nX: " + b"v" * 70_000 + b"\r\n\r\n",
    "a head that never ends": b"GET /v1beta/models HTTP/1.1\r\nHost: a\r\nX: " + b"v" * 200_000,
    "a long target": b"GET /v1beta/" + b"m" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[int, Answering]]:
    handler = Answering()
    with serving(handler) as (port, _):
        yield port, handler


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_and_its_connection_closed(name, running):
    port, handler = running
    before = len(handler.seen)
    answer = talk(port, MALFORMED[name] + GOOD)
    assert len(handler.seen) == before, "neither it nor what came behind it was served"
    assert answer.split(b"\r\n")[0].split(b" ")[1] in (b"400", b"431")
    assert b"\r\nconnection: close\r\n" in answer
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["error"]["details"][0]["reason"].startswith("GEMBILL_")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_good_request_is_served_and_names_its_parts(running):
    port, handler = running
    answer = talk(port, CLOSING.replace(b"/models", b"/models?x=%20#part"))
    assert answer.endswith(b"ok")
    assert b"server:" not in answer.lower()
    request = handler.seen[-1]
    assert (request.method, request.target, request.length) == ("GET", b"/v1beta/models?x=%20", 0)
    assert request.head.fields == ((b"host", b"localhost"), (b"connection", b"close"))


def test_requests_sent_together_are_answered_in_order(running):
    port, handler = running
    before = len(handler.seen)
    third = CHUNKED + b"2\r\nno\r\n0\r\n\r\n"
    assert talk(port, GOOD + SIZED + third + CLOSING).count(b"HTTP/1.1 200") == 4
    assert handler.bodies[before:] == [b"", b"hi", b"no", b""]


def test_what_is_malformed_behind_others_is_answered_after_them(running):
    port, _ = running
    answer = talk(port, GOOD + SIZED + MALFORMED["no host"] + GOOD)
    assert [line.split(b" ")[1] for line in answer.split(b"HTTP")[1:]] == [b"200", b"200", b"400"]


def test_nothing_is_served_behind_a_request_that_closes(running):
    port, handler = running
    before = len(handler.seen)
    assert talk(port, CLOSING + GOOD + MALFORMED["no host"]).count(b"HTTP/1.1") == 1
    assert len(handler.seen) == before + 1


def test_requests_in_a_queue_pause_the_reading():
    async def slow(request):
        begun.set()
        await release()
        answer_ok(request)

    begun, go = threading.Event(), threading.Event()

    async def release():
        while not go.is_set():
            await asyncio.sleep(0.01)

    handler = Answering(slow)
    with serving(handler) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        assert begun.wait(60)
        client.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            for _ in range(400):
                sent += client.send(GOOD * 2_000)
        (connection,) = server._connections
        assert sent < 400 * 2_000 * len(GOOD), "the kernel's buffers are full, because nobody reads"
        assert len(connection._queue) < 10_000, "what one read holds, and no more"
        go.set()


def test_a_body_nobody_reads_pauses_the_reading(running):
    async def deaf(request):
        begun.set()
        while not go.is_set():
            await asyncio.sleep(0.01)
        while await request.read():
            pass
        answer_ok(request)

    begun, go = threading.Event(), threading.Event()
    handler = Answering(deaf)
    with serving(handler) as (port, _), connect(port) as client:
        body = bytes(30_000_000)
        client.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        sender = threading.Thread(target=client.sendall, args=(body,))
        sender.start()
        assert begun.wait(60)
        time.sleep(0.3)
        assert handler.seen[0].buffered < BUFFER + 1_000_000
        assert sender.is_alive()
        go.set()
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
        sender.join()


def test_trailers_are_not_headers(running):
    port, handler = running
    with connect(port) as client:
        client.sendall(CHUNKED + b"1\r\nx\r\n0\r\nX-Goog-Api-Key: k\r\n\r\n")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
        client.sendall(GOOD)
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert not any(name == b"x-goog-api-key" for request in handler.seen[-2:] for name, _ in request.head.fields)


ENDLESS = {
    "trailers": b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 2 * MAX_HEAD,
    "one trailer": b"1\r\nx\r\n0\r\nX: " + b"y" * 10 * MAX_HEAD,
    "trailers behind much content": b"%x\r\n%b\r\n0\r\n" % (1 << 20, bytes(1 << 20)) + b"X: y\r\n" * 2 * MAX_HEAD,
    "an extension": b"1;" + b"e" * 10 * MAX_HEAD,
    "extensions": (b"1;" + b"e" * 1000 + b"\r\nx\r\n") * 400,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_framing_that_does_not_end_breaks_the_request(name, running):
    port, handler = running
    before = len(handler.bodies)
    with connect(port) as client:
        client.sendall(CHUNKED)
        wire = ENDLESS[name]
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(wire), 16_384):
                client.sendall(wire[start : start + 16_384])
        assert rest(client) == b""
    assert len(handler.bodies) == before, "its body never came to an end"


def test_small_chunks_are_framed_as_honest_clients_do(running):
    port, handler = running
    with connect(port) as client:
        client.sendall(CHUNKED + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert handler.bodies[-1] == b"x" * 60_000


def test_a_body_that_turns_malformed_ends_the_connection_without_an_answer(running):
    port, handler = running
    before = len(handler.bodies)
    assert talk(port, CHUNKED + b"2\r\nab\r\nzz\r\n" + GOOD) == b""
    assert len(handler.bodies) == before


def test_an_ipv6_host_and_a_port_are_fine(running):
    port, _ = running
    assert talk(port, CLOSING.replace(b"localhost", b"[::1]:8787")).endswith(b"ok")


def test_http_1_0_gets_its_answer_and_the_end(running):
    port, _ = running
    answer = talk(port, b"GET /v1beta/models HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


def test_a_client_that_waits_for_a_100_gets_one_before_its_body_is_read(running):
    port, handler = running
    with connect(port) as client:
        client.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hi")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert handler.bodies[-1] == b"hi"


def test_a_client_that_sent_its_body_gets_no_100(running):
    port, _ = running
    with connect(port) as client:
        client.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi")
        assert b"100 Continue" not in until(client, b"ok")


def test_a_body_is_read_to_its_end_behind_an_early_answer(running):
    async def hasty(request):
        answer_ok(request)

    handler = Answering(hasty)
    with serving(handler) as (port, _), connect(port) as client:
        client.sendall(POST + b"Content-Length: 2000000\r\n\r\n")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
        client.sendall(bytes(2_000_000) + GOOD)
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert len(handler.seen) == 2


def test_a_read_that_was_given_up_leaves_no_deadline_behind():
    async def impatient(request):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await request.read()
        deadlines.append(next(iter(server._connections)).deadline)
        answer_ok(request)

    deadlines = []
    with serving(Answering(impatient)) as (port, server), connect(port) as client:
        client.sendall(POST + b"Content-Length: 2\r\n\r\n")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
    assert deadlines == [math.inf]


def test_a_head_that_takes_too_long_is_sent_away(running, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    port, _ = running
    answer = talk(port, b"GET /v1beta/models HTTP/1.1\r\nHost:")
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_second_head_that_takes_too_long_is_sent_away(running, monkeypatch):
    port, _ = running
    with connect(port) as client:
        client.sendall(GOOD + b"GET /v1b")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
        client.sendall(b"eta/models HTTP/1.1\r\n")
    with connect(port) as client:
        client.sendall(GOOD + b"GET /v1b")
        assert until(client, b"ok").startswith(b"HTTP/1.1 200")
        assert rest(client).startswith(b"HTTP/1.1 408")


def test_a_client_that_says_nothing_is_sent_away(running, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    port, _ = running
    assert talk(port, b"") == b""


def test_a_connection_without_a_further_request_is_closed(running, monkeypatch):
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.3)
    port, _ = running
    assert talk(port, GOOD).endswith(b"ok")


def test_a_body_that_does_not_come_ends_the_connection(running, monkeypatch):
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.3)
    port, handler = running
    before = len(handler.bodies)
    assert talk(port, POST + b"Content-Length: 5\r\n\r\nhi") == b""
    assert len(handler.bodies) == before


def test_a_client_that_does_not_read_is_given_up(monkeypatch):
    async def much(request):
        request.start(200, [], length=None)
        for _ in range(4_000):
            request.send(bytes(65_536))
            if request.stalled:
                await request.drained()
            if request.gone:
                given_up.set()
                return

    given_up = threading.Event()
    monkeypatch.setattr(requests, "STALL_SECONDS", 0.3)
    with serving(Answering(much)) as (port, _), connect(port) as client:
        client.sendall(GOOD)
        assert given_up.wait(60)


def test_a_client_that_reads_late_gets_all(monkeypatch):
    async def much(request):
        request.start(200, [], length=20_000_000)
        for _ in range(200):
            request.send(bytes(100_000))
            if request.stalled:
                stalled.set()
                await request.drained()
        request.end()

    stalled = threading.Event()
    with serving(Answering(much)) as (port, _), connect(port) as client:
        client.sendall(CLOSING)
        assert stalled.wait(60)
        assert len(rest(client).partition(b"\r\n\r\n")[2]) == 20_000_000


PARTS = [
    GOOD,
    SIZED,
    CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\n\r\n",
    SIZED.replace(b"Host", b"Upgrade: h2c\r\nConnection: Upgrade\r\nHost"),
]


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4), st.sampled_from([CLOSING, MALFORMED["two hosts"], POST[:-9] + b"\r\n"]), st.lists(st.integers(0, 2_000), max_size=8))  # fmt: skip
def test_what_is_answered_does_not_depend_on_how_the_bytes_were_cut(parts, last, cuts):
    async def answers(pieces: list[bytes]) -> tuple[bytes, list[bytes]]:
        handler, transport, tasks = Answering(), Transport(), []
        owner = SimpleNamespace(opened=lambda _, task: tasks.append(task), lost=lambda _: None)
        connection = HttpConnection(owner, handler, asyncio.get_running_loop())
        connection.connection_made(transport)
        for piece in pieces:
            connection.data_received(piece)
            for _ in range(len(piece) % 5):
                await asyncio.sleep(0)
        await asyncio.wait_for(tasks[0], 60)
        return transport.sent, handler.bodies

    data = b"".join(parts) + last
    borders = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    whole = asyncio.run(answers([data]))
    assert asyncio.run(answers([data[start:end] for start, end in pairwise(borders)])) == whole
    assert whole[0].count(b"HTTP/1.1 200") == len(parts) + (last is CLOSING)
