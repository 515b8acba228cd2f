"""The server's front: malformed and ambiguous requests on raw sockets."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gembill.capture import http_server as serving
from gembill.capture.http_server import CLIENT, server

GOOD = b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1beta/models HTTP/1.1\r\n"
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
    "length and chunked": POST + b"Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": POST + b"Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "list of lengths": POST + b"Host: a\r\nContent-Length: 3, 3\r\n\r\nabc",
    "negative length": POST + b"Host: a\r\nContent-Length: -1\r\n\r\n",
    "signed length": POST + b"Host: a\r\nContent-Length: +3\r\n\r\nabc",
    "hexadecimal length": POST + b"Host: a\r\nContent-Length: 0x3\r\n\r\nabc",
    "huge length": POST + b"Host: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "unknown coding": POST + b"Host: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "coding twice": POST + b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in disguise": POST + b"Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding over lines": POST + b"Host: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /v1beta/models HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length with underscore": POST + b"Host: a\r\nContent_Length: 3\r\n\r\nabc",
    "coding with underscore": POST + b"Host: a\r\nTransfer_Encoding: chunked\r\n\r\n",
    "space before the colon": POST + b"Host: a\r\nContent-Length : 3\r\n\r\nabc",
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
def running() -> Iterator[tuple[int, list[dict]]]:
    seen: list[dict] = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    listener = socket.create_server(("127.0.0.1", 0))
    running = server(application, "127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1], seen
    running.should_exit = True
    thread.join()
    listener.close()


def talk(port: int, data: bytes, *, then: bytes = b"", seconds: float = 10.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        received = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(data + then)
            while piece := connection.recv(65536):
                received += piece
                if received.endswith(b"ok") and not then:
                    break
        return received


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_and_its_connection_closed(name, running):
    port, seen = running
    before = len(seen)
    answer = talk(port, MALFORMED[name], then=GOOD)
    assert len(seen) == before, "neither it nor what came behind it was served"
    assert answer.split(b"\r\n")[0].split(b" ")[1] in (b"400", b"431")
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["error"]["details"][0]["reason"].startswith("GEMBILL_")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_good_request_is_served_and_its_scope_names_the_connection(running):
    port, seen = running
    assert talk(port, GOOD).endswith(b"ok")
    assert seen[-1][CLIENT].answering
    assert b"server:" not in talk(port, GOOD).lower()


def test_requests_sent_together_are_answered_in_order(running):
    port, seen = running
    before = len(seen)
    last = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert talk(port, GOOD, then=GOOD + last).count(b"HTTP/1.1 200") == 3
    assert len(seen) == before + 3


def test_trailers_are_not_headers(running):
    port, seen = running
    chunked = POST + b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Goog-Api-Key: k\r\n\r\n"
    assert talk(port, chunked).endswith(b"ok")
    assert talk(port, GOOD).endswith(b"ok")
    assert not any(name == b"x-goog-api-key" for scope in seen[-2:] for name, _ in scope["headers"])


def test_an_ipv6_host_and_a_port_are_fine(running):
    port, _ = running
    assert talk(port, GOOD.replace(b"localhost", b"[::1]:8787")).endswith(b"ok")


def test_a_head_that_takes_too_long_is_sent_away(running, monkeypatch):
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    port, _ = running
    began = time.monotonic()
    answer = talk(port, b"GET /v1beta/models HTTP/1.1\r\nHost:")
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 5


def test_a_client_that_says_nothing_is_sent_away(running, monkeypatch):
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    port, _ = running
    assert talk(port, b"") == b""
