"""The listener: it serves until it is told to stop, lets what is under way end, and says so where it cannot."""

import asyncio
import contextlib
import logging
import select
import socket
import threading
import time

import pytest

from gembill.capture import http_connection as connections
from gembill.capture import http_request as requests
from gembill.capture import http_server as serving_module
from gembill.capture.crowd import Room
from gembill.capture.http_server import Server
from tests.gembill.capture.served import (
    CHUNKED,
    CLOSING,
    GOOD,
    POST,
    Answering,
    answer_ok,
    connect,
    rest,
    serving,
    talk,
    until,
)

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)


class Slow(Answering):
    """Begins its answers, and ends them when `go` is set."""

    def __init__(self) -> None:
        super().__init__(self._slowly)
        self.begun, self.go = threading.Event(), threading.Event()
        self.cancelled = False

    async def _slowly(self, request) -> None:
        request.start(200, [], length=2)
        request.send(b"ok")
        self.begun.set()
        try:
            while not self.go.is_set():
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        request.end()


def test_many_connections_are_served_and_the_handler_closed_at_the_end():
    handler = Answering()
    with serving(handler) as (port, server):
        clients = [connect(port) for _ in range(20)]
        for client in clients:
            client.sendall(GOOD)
        for client in clients:
            until(client, b"ok")
        assert not handler.closed
        server.should_exit = True
        assert [rest(client) for client in clients] == [b""] * 20, "connections without a request are closed"
        for client in clients:
            client.close()
    assert handler.closed
    assert server.should_exit


def test_an_answer_under_way_ends_before_the_server_does():
    handler = Slow()
    with serving(handler) as (port, server), connect(port) as client:
        client.sendall(GOOD + GOOD)
        assert handler.begun.wait(60)
        server.should_exit = True
        refused(port)
        assert not handler.closed
        handler.go.set()
        assert rest(client).endswith(b"ok")
    assert len(handler.seen) == 1, "a request that waits behind it is not begun"
    assert handler.closed


def refused(port: int) -> None:
    """Wait until nobody listens there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            connect(port).close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError("it still listens")


def test_an_answer_whose_client_has_left_ends_too():
    handler = Slow()
    with serving(handler) as (port, server):
        with connect(port) as client:
            client.sendall(GOOD)
            assert handler.begun.wait(60)
        server.should_exit = True
        refused(port)
        handler.go.set()
    assert not handler.cancelled


def test_what_takes_too_long_to_end_is_broken_off_and_said(caplog):
    handler = Slow()
    with serving(handler, stop_seconds=0.3) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        assert handler.begun.wait(60)
        server.should_exit = True
        assert until(client, b"o")
    assert (handler.cancelled, handler.closed) == (True, True)
    assert "1 calls were broken off" in caplog.text


def test_a_server_that_is_hurried_breaks_off_at_once(caplog):
    handler = Slow()
    with serving(handler, stop_seconds=3_600.0) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        assert handler.begun.wait(60)
        server.should_exit = True
        refused(port)
        assert not handler.cancelled
        server.hurry()
    assert (handler.cancelled, handler.closed) == (True, True)
    assert "told to hurry" in caplog.text


def test_one_that_retires_answers_whoever_is_connected_once_more():
    handler = Answering()
    with serving(handler) as (port, server), connect(port) as used, connect(port) as new:
        used.sendall(GOOD)
        assert until(used, b"ok")
        server.retire()
        refused(port)
        for client in (used, new):
            client.sendall(GOOD)
            answer = rest(client)
            assert answer.endswith(b"ok")
            assert b"\r\nconnection: close\r\n" in answer
    assert len(handler.seen) == 3


def test_one_that_retires_waits_for_silent_clients_a_while_and_no_longer(monkeypatch):
    monkeypatch.setattr(serving_module, "LINGER_SECONDS", 0.2)
    with serving(Answering(), stop_seconds=3_600.0) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        assert until(client, b"ok")
        server.retire()
        assert rest(client) == b""


def test_an_answer_begun_while_it_stops_closes_its_connection():
    async def waiting(request) -> None:
        handler.begun.set()
        while not handler.go.is_set():
            await asyncio.sleep(0.01)
        answer_ok(request)

    handler = Slow()
    handler._answer = waiting
    with serving(handler) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        assert handler.begun.wait(60)
        server.should_exit = True
        refused(port)
        handler.go.set()
        assert b"\r\nconnection: close\r\n" in rest(client)


def test_a_server_told_to_stop_before_it_began_ends_at_once():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handler = Answering()
        server = Server(handler)
        server.should_exit = True
        server.run([listener])
    assert (server.started, handler.closed) == (True, True)


def test_tls_on_the_plain_port_is_one_line_that_says_so(caplog):
    with serving(Answering()) as (port, _):
        for _ in range(3):
            assert talk(port, HELLO).startswith(b"HTTP/1.1 400")
        assert talk(port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    (line,) = [record for record in caplog.records if record.name == "gembill.server"]
    assert (line.levelno, "TLS" in line.getMessage()) == (logging.WARNING, True)


@pytest.mark.parametrize("data", [b"", GOOD[:20], POST + b"Content-Length: 9\r\n\r\nx", CHUNKED, GOOD])
def test_clients_that_leave_at_any_point_leave_nothing_behind(data):
    with serving(Answering()) as (port, server):
        for _ in range(5):
            with connect(port) as client:
                client.sendall(data)
        assert talk(port, CLOSING).endswith(b"ok")
        end = time.monotonic() + 60
        while server._connections or server._tasks:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_loop_without_uvloop_serves_too(monkeypatch):
    monkeypatch.setattr(serving_module, "_loop_factory", lambda: None)
    with serving(Answering()) as (port, _):
        assert talk(port, GOOD + CLOSING).count(b"200 OK") == 2


def test_silent_connections_give_way_to_new_ones():
    with serving(Answering(), room=Room(most=3)) as (port, _), contextlib.ExitStack() as clients:
        silent = [clients.enter_context(connect(port)) for _ in range(3)]
        silent[0].sendall(GOOD)
        assert until(silent[0], b"ok")  # it may be silent for longer than those that never said anything
        assert talk(port, CLOSING).endswith(b"ok")
        closed, _, _ = select.select(silent, [], [], 30)
        assert (len(closed), silent[0] in closed, rest(closed[0])) == (1, False, b"")
        silent[0].sendall(GOOD)
        assert until(silent[0], b"ok")


def test_where_all_connections_are_at_work_another_one_is_refused_in_a_sentence():
    handler = Slow()
    with serving(handler, room=Room(most=1)) as (port, _), connect(port) as client:
        client.sendall(GOOD)
        assert handler.begun.wait(60)
        answer = talk(port, GOOD)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"GEMBILL_TOO_MANY_CONNECTIONS" in answer
        handler.go.set()
        assert until(client, b"ok")


def test_a_client_that_does_not_read_the_rest_of_its_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(connections, "CLOSE_SECONDS", 0.2)

    async def large(request) -> None:
        request.start(200, [], length=None)
        request.send(bytes(32 << 20))
        request.keep_alive = False
        request.end()

    with serving(Answering(large)) as (port, server), connect(port) as client:
        client.sendall(GOOD)
        client.recv(1)
        end = time.monotonic() + 60
        while server._connections:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_body_that_drips_is_given_up(monkeypatch):
    monkeypatch.setattr(requests, "BODY_SLACK", 0.3)
    with serving(Answering()) as (port, server), connect(port) as client:
        client.sendall(POST + b"Content-Length: 100000\r\n\r\n")
        end = time.monotonic() + 60
        with contextlib.suppress(ConnectionError):
            while server._connections or not server._tasks:
                client.sendall(b"x")
                assert time.monotonic() < end
                time.sleep(0.02)
