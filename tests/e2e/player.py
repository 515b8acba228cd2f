"""An upstream of the tests: answers the n-th request with the n-th prepared answer, in pieces as prepared.

Real sockets on loopback, nothing of the project in it. Every request it received is kept, raw.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """Status, headers and the body's pieces. `framing`: length, chunked or close. `pause` in seconds between pieces.

    `cut` ends the connection after the pieces without ending the body; `silent` never answers.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    headers: Sequence[tuple[str, str]] = (("Content-Type", "application/json; charset=UTF-8"),)
    framing: str = "length"
    pause: float = 0.0
    cut: bool = False
    silent: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Request:
    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        return self.head.split(b" ")[1].decode()

    def header(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [v.strip() for n, _, v in (line.partition(":") for line in lines) if n.lower() == name.lower()]


@dataclass
class Player:
    """`answer` gives the reply to a request, by default the next of `replies`."""

    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[Request], Reply] | None = None
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def serving(self) -> Iterator["Player"]:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            listener.settimeout(0.2)
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            ended = threading.Event()
            thread = threading.Thread(target=self._accept, args=(listener, ended), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                ended.set()
                thread.join()

    def _accept(self, listener: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                threading.Thread(target=self._talk, args=(connection, ended), daemon=True).start()

    def _talk(self, connection: socket.socket, ended: threading.Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(60)
            file = connection.makefile("rb")
            while not ended.is_set() and (request := _read(file)) is not None:
                with self._lock:
                    self.requests.append(request)
                    reply = self.answer(request) if self.answer else self.replies.pop(0)
                if reply.silent:
                    ended.wait(30)
                    return
                if not _send(connection, reply):
                    return


def _read(file) -> Request | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return None
        head += line
    request = Request(head, b"")
    if "chunked" in request.header("transfer-encoding"):
        while size := int(file.readline().split(b";")[0], 16):
            request.body += file.read(size)
            file.readline()
        file.readline()
    else:
        request.body = file.read(int((request.header("content-length") or ["0"])[0]))
    return request


def _send(connection: socket.socket, reply: Reply) -> bool:
    """Send it; whether the connection may go on."""
    lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{name}: {value}" for name, value in reply.headers)]
    if reply.framing == "length":
        lines.append(f"Content-Length: {len(reply.body) + (10 if reply.cut else 0)}")
    elif reply.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    for piece in reply.pieces:
        if reply.pause:
            time.sleep(reply.pause)
        if piece:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.framing == "chunked" else piece)
    if reply.cut or reply.framing == "close":
        return False
    if reply.framing == "chunked":
        connection.sendall(b"0\r\n\r\n")
    return True
