"""A company's forward proxy for the tests: CONNECT, credentials, TLS to itself, and the ways in which it can refuse.

Owns: the proxy, and what it saw. Not here: clients. Invariant: `seen` has every request for a tunnel, also refused ones,
and `relayed` every byte that went through, so that a test can say what the proxy could read.
"""

import base64
import contextlib
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path


class ForwardProxyServer(socketserver.ThreadingTCPServer):
    """A proxy on loopback; `user` and `password` are wanted where they are given, `refusal` is answered to all."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user: str = "", password: str = "", *, refusal: bytes | None = None, tls: Path | None = None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.credentials = base64.b64encode(f"{user}:{password}".encode()) if user else None
        self.refusal = refusal
        self.seen: list[str] = []
        self.relayed = b""
        self.context: ssl.SSLContext | None = None
        if tls is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @contextlib.contextmanager
    def serving(self) -> Iterator["ForwardProxyServer"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up in the handshake is part of the tests."""


class _Handler(socketserver.BaseRequestHandler):
    server: ForwardProxyServer

    def handle(self) -> None:
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.request.recv(4096)
            if not piece:
                return
            head += piece
        method, target, _ = head.split(b" ", 2)
        self.server.seen.append(f"{method.decode()} {target.decode()}")
        if self.server.refusal is not None:
            self.request.sendall(self.server.refusal)
        elif not self._knows(head):
            self.request.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=x\r\n\r\n"
            )
        else:
            self._relay(*target.decode().rsplit(":", 1))

    def _knows(self, head: bytes) -> bool:
        wanted = self.server.credentials
        return wanted is None or b"\r\nProxy-Authorization: Basic " + wanted + b"\r\n" in head

    def _relay(self, host: str, port: str) -> None:
        with socket.create_connection((host.strip("[]"), int(port))) as origin:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n")
            while True:
                pending = isinstance(self.request, ssl.SSLSocket) and self.request.pending()
                ready = [self.request] if pending else select.select([self.request, origin], [], [], 10)[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    self.server.relayed += data
                    (origin if source is self.request else self.request).sendall(data)


@contextlib.contextmanager
def forward_proxy(
    user: str = "", password: str = "", *, refusal: bytes | None = None, tls: Path | None = None
) -> Iterator[ForwardProxyServer]:
    """A running forward proxy."""
    with ForwardProxyServer(user, password, refusal=refusal, tls=tls).serving() as server:
        yield server
