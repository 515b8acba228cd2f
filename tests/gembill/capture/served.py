"""A server on loopback with a handler of the test's own, and raw talk with it."""

import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator

from gembill.capture.crowd import Room
from gembill.capture.http_request import Request
from gembill.capture.http_server import Server

GOOD = b"GET /v1beta/models HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1beta/models HTTP/1.1\r\nHost: a\r\n"
SIZED = POST + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSING = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
OK = (200, [(b"content-length", b"2")])


ANY = Room()


class Answering:
    """Answers with `ok`, unless it has an `answer` to do it; `seen` are the requests, `bodies` what was read of them."""

    def __init__(self, answer: Callable[[Request], Awaitable[None]] | None = None) -> None:
        self.seen: list[Request] = []
        self.bodies: list[bytes] = []
        self.closed = False
        self._answer = answer or self._ok

    async def __call__(self, request: Request) -> None:
        self.seen.append(request)
        await self._answer(request)

    async def close(self) -> None:
        self.closed = True

    async def _ok(self, request: Request) -> None:
        body = b""
        while piece := await request.read():
            body += piece
        self.bodies.append(body)
        answer_ok(request)


def answer_ok(request: Request) -> None:
    request.start(*OK, length=2)
    request.send(b"ok")
    request.end()


class Transport:
    """What a connection needs of a transport, in memory."""

    def __init__(self) -> None:
        self.sent, self.closing = b"", False

    def write(self, data: bytes) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort, pause_reading, resume_reading = close, lambda self: None, lambda self: None


@contextlib.contextmanager
def serving(handler: Answering, stop_seconds: float = 30.0, room: Room = ANY) -> Iterator[tuple[int, Server]]:
    """Its port and the server, which has ended when the block has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(handler, stop_seconds=stop_seconds, room=room)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1], server
        finally:
            server.should_exit = True
            thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 25)  # less than HEAD_SECONDS, which some tests make shorter


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes until it ends so."""
    received = b""
    while not received.endswith(end):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def talk(port: int, data: bytes) -> bytes:
    """Everything that is answered to these bytes until the server closes."""
    with connect(port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        return rest(connection)
