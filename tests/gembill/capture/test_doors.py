"""The door of the proxy: names it answers to, and pages that may ask. Raw sockets, and heads as browsers send them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gembill.capture import admission
from gembill.capture.admission import check_head
from gembill.capture.doors import Doors, doors_of, host_name
from gembill.capture.http_server import Server
from gembill.errors import Refusal
from tests.gembill.capture.served import Answering

HERE = doors_of(
    "127.0.0.1", ["Pages.LAN", "10.1.2.3", "[FD00::1]"], ["http://localhost:5173", "chrome-extension://abc"]
)
PATHS = (b"/v1beta/models/m:generateContent", b"/_gembill/health", b"/_gembill/ready", b"/_gembill/metrics")
KNOWN = (
    "localhost", "LOCALHOST:8787", "127.0.0.1", "127.0.0.1:1", "127.8.9.1", "[::1]", "[::1]:8787", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "pages.lan", "PAGES.lan:99", "10.1.2.3:80", "[fd00::1]", "[fd00:0::1]:1",
)  # fmt: skip
FOREIGN = (
    "evil.example", "evil.example:8787", "localhost.evil", "localhost.evil.example:80", "127.0.0.1.evil.example", "evil-localhost", "xlocalhost",
    "127.0.0.1.nip.io", "0.0.0.0", "0.0.0.0:8787", "[::]", "[::2]", "[::ffff:10.0.0.1]", "128.0.0.1", "2130706433", "0x7f.1", "127.1", "0127.0.0.1", "10.1.2.4",
    "a.pages.lan", "pages.lan.evil", "metadata.google.internal", "app.localhost",
)  # fmt: skip
MALFORMED = (
    "localhost.", "localhost.:80", "user@localhost", "evil.example@localhost", "localhost@evil.example", "localhost:80:80", "localhost:", "localhost/", "localhost:x", "[::1]:x", "::1", "[::1%25lo]",
    "", "localhost, evil.example", "localhost evil.example", "loc\u00e4lhost",
)  # fmt: skip
CROSS = (
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "file://"}, {"Origin": "http://localhost"}, {"Origin": "http://localhost:3000"},
    {"Origin": "http://localhost:5173.evil.example"}, {"Origin": "https://localhost:5173"}, {"Origin": "http://localhost:51730"}, {"Origin": "http://evil@localhost:5173"},
    {"Origin": "http://localhost:5173 https://evil.example"}, {"Origin": "chrome-extension://abcd"}, {"Origin": "http://127.0.0.1:5173"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "CROSS-SITE"}, {"Sec-Fetch-Site": "odd"}, {"sec-fetch-site": ""},
    {"Sec-Fetch-Site": "none", "sec-fetch-site": "cross-site"}, {"Origin": "http://localhost:5173", "origin": "https://evil.example"},
    {"Origin": "http://localhost:8787", "Sec-Fetch-Site": "cross-site"},
)  # fmt: skip
WELCOME = (
    {}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost:8787"},
    {"Origin": "HTTPS://LocalHost:8787"}, {"Origin": "http://localhost:5173"}, {"Origin": "HTTP://localhost:5173", "Sec-Fetch-Site": "same-site"},
    {"Origin": "chrome-extension://abc", "Sec-Fetch-Site": "cross-site"},
)  # fmt: skip


@contextmanager
def behind(doors: Doors) -> Iterator[tuple[int, Answering]]:
    """A server with these doors; its port, and what got through."""
    handler = Answering()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(handler, doors=doors)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1], handler
        finally:
            server.should_exit = True
            thread.join()


def answered(port: int, path: bytes, host: str | None, fields: dict[str, str], version: str = "1.1") -> bytes:
    """What comes back to a request with these fields, sent as they are."""
    named = [] if host is None else [f"Host: {host}"]
    lines = [*named, *(f"{name}: {value}" for name, value in fields.items())]
    head = b"POST " + path + f" HTTP/{version}\r\n".encode() + "\r\n".join(lines).encode("latin-1")
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(head + b"\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received


def test_only_known_names_and_pages_reach_the_handler() -> None:
    with behind(HERE) as (port, handler):
        for path in PATHS:
            for host in FOREIGN:
                answer = answered(port, path, host, {})
                assert answer.startswith(b"HTTP/1.1 403 "), host
                assert b'"reason": "GEMBILL_HOST_NOT_ALLOWED"' in answer
                assert b'"status": "PERMISSION_DENIED"' in answer
            for fields in CROSS:
                answer = answered(port, path, "localhost:8787", fields)
                assert answer.startswith(b"HTTP/1.1 403 "), fields
                assert b'"reason": "GEMBILL_ORIGIN_NOT_ALLOWED"' in answer
                assert b"access-control" not in answer.lower()
        for host in MALFORMED:
            assert answered(port, PATHS[0], host, {}).startswith(b"HTTP/1.1 400 "), host
        assert handler.seen == []
        for host in KNOWN:
            assert answered(port, PATHS[0], host, {}).startswith(b"HTTP/1.1 200 "), host
        for fields in WELCOME:
            assert answered(port, PATHS[0], "localhost:8787", fields).startswith(b"HTTP/1.1 200 "), fields
        assert len(handler.seen) == len(KNOWN) + len(WELCOME)


def test_a_request_of_http_1_0_without_a_name_is_no_browsers() -> None:
    with behind(HERE) as (port, handler):
        assert answered(port, PATHS[0], None, {"X": "1"}, "1.0").startswith(b"HTTP/1.1 200 ")
        assert answered(port, PATHS[0], None, {"Origin": "null"}, "1.0").startswith(b"HTTP/1.1 403 ")
        assert len(handler.seen) == 1


def test_what_follows_a_refused_request_on_its_connection_is_not_read() -> None:
    good = b"POST /v1beta/models/m:generateContent HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    with behind(HERE) as (port, handler), socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(good + good.replace(b"localhost", b"evil.example") + good)
        received = b""
        while piece := client.recv(65536):
            received += piece
        assert received.count(b"HTTP/1.1 200 ") == 1
        assert received.count(b"HTTP/1.1 403 ") == 1
        assert len(handler.seen) == 1


@pytest.mark.parametrize(
    ("listening", "hosts", "host", "known"),
    [
        ("127.0.0.1", (), "gembill.lan", False),
        ("127.0.0.2", (), "127.0.0.2:1", True),
        ("::1", (), "[::1]:8787", True),
        ("LOCALHOST", (), "localhost", True),
        ("LOCALHOST", (), "evil.example", False),
        ("0.0.0.0", (), "whatever.example", True),
        ("10.1.2.3", (), "whatever.example", True),
        ("10.1.2.3", ("gembill.lan",), "whatever.example", False),
        ("10.1.2.3", ("gembill.lan",), "GEMBILL.lan:8787", True),
        ("10.1.2.3", ("gembill.lan",), "10.1.2.3:8787", True),
        ("10.1.2.3", ("gembill.lan",), "127.0.0.1:8787", True),
        ("10.1.2.3", ("gembill.lan",), "10.1.2.4", False),
        ("fd00::1", ("gembill.lan",), "[FD00:0:0::1]:8787", True),
        ("box.lan", ("gembill.lan",), "box.lan", True),
    ],
)
def test_the_names_follow_from_where_it_listens(listening: str, hosts: tuple[str, ...], host: str, known: bool) -> None:
    fields = [(b"host", host.encode())]
    if known:
        doors_of(listening, hosts, ()).check(fields)
    else:
        with pytest.raises(Refusal, match="add it to the setting hosts"):
            doors_of(listening, hosts, ()).check(fields)


def test_where_any_name_is_answered_pages_are_refused_all_the_same() -> None:
    remote = doors_of("0.0.0.0", (), ())
    with pytest.raises(Refusal, match="setting origins"):
        remote.check([(b"host", b"box.lan:8787"), (b"origin", b"http://evil.example")])
    for own in (b"box.lan:8787", b"evil.example", b"1.2.3.4.nip.io:80"):  # its own name, pointed at this machine
        remote.check([(b"host", own)])
        with pytest.raises(Refusal, match="setting origins"):
            remote.check([(b"host", own), (b"origin", b"http://" + own)])
    for safe in (b"gembill:8787", b"10.1.2.3", b"[fd00::1]:80", b"localhost:1"):  # some libraries name what they call
        remote.check([(b"host", safe), (b"origin", b"http://" + safe)])
    doors_of("0.0.0.0", ("box.lan",), ()).check([(b"host", b"box.lan:1"), (b"origin", b"https://box.lan:1")])


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.b:1", "a.b"), ("[::1]:80", "::1"), ("::1", "::1"), ("[0::1]", "::1"), ("127.0.0.1:80", "127.0.0.1"), ("", "")],
)
def test_the_name_of_a_host(host: str, name: str) -> None:
    assert host_name(host) == name


def test_heads_that_are_alike_are_looked_at_once() -> None:
    class Counting(Doors):
        asked = 0

        def check(self, fields: object) -> None:
            Counting.asked += 1

    doors = Counting()
    fields = [(b"Host", b"localhost"), (b"X-Of-This-Test", b"1")]
    for length in (b"1", b"22", b"333"):
        check_head("1.1", b"/x", [*fields, (b"Content-Length", length)], 100, doors)
    assert Counting.asked == 1
    check_head("1.1", b"/x", fields, admission.MAX_HEAD, doors)
    assert Counting.asked == 2


def test_what_one_proxy_lets_in_another_refuses() -> None:
    fields = [(b"host", b"other.example")]
    check_head("1.1", b"/x", fields, 100, doors_of("0.0.0.0", (), ()))
    with pytest.raises(Refusal):
        check_head("1.1", b"/x", fields, 100, doors_of("127.0.0.1", (), ()))
