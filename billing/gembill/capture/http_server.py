"""The HTTP server the proxy runs in: uvicorn, with a stricter front.

Owns: refusals of malformed requests while they are parsed, the time a head may take, and what the relay must know of
the client's connection. Not here: the parser (`http_parser`) and routing. Invariant: a request that
`admission.check_head` refuses never reaches the application, and its connection is closed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gembill.capture.admission import MAX_HEAD, check_head, error_body
from gembill.capture.http_parser import HttpParser
from gembill.errors import Refusal

HEAD_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 20
CLIENT = "gembill.client"

Application = Callable[[Any, Any, Any], Awaitable[None]]


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with our checks of a request's head, deaf to offers to upgrade."""

    _refusal: Refusal | None = None
    _head_bytes = 0
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of uvicorn
        super().__init__(*args, **kwargs)
        self.parser: HttpParser = HttpParser(self)  # type: ignore[assignment]

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self.transport.is_closing()

    @property
    def answering(self) -> bool:
        """Whether an answer has begun."""
        return bool(self.cycle and self.cycle.response_started)

    @property
    def stalled(self) -> bool:
        """Whether the client does not read as fast as it is sent to."""
        return self.flow.write_paused

    def cut(self) -> None:
        """End the connection so that the client sees an answer that was cut, after what was sent has left."""
        self.transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: its head has to come too."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and bound a head that does not end."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self._refusal = Refusal(431, "GEMBILL_HEAD_TOO_LARGE", f"the request head is larger than {MAX_HEAD} bytes")
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self.scope[CLIENT] = self  # type: ignore[literal-required]
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; those of a trailer are none and stay here."""
        if self._in_head:
            super().on_header(name, value)

    def on_message_complete(self) -> None:
        """A request ends, unless it only seems to because it offers to upgrade: then its body is still to come."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_headers_complete(self) -> None:
        """The head is there: refuse it, or hand the request on."""
        self._in_head, self._head_bytes = False, 0
        self._stop_timer()
        try:
            check_head(self.parser.get_http_version(), self.url, self.headers)
        except Refusal as refusal:
            self._refusal = refusal
            raise
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed or was refused, unless an earlier answer is under way, and close."""
        refusal = self._refusal or Refusal(400, "GEMBILL_MALFORMED_REQUEST", msg or "the request is not HTTP/1.1")
        if self.cycle is None or self.cycle.response_complete:
            body = error_body(refusal)
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%s"
                % (refusal.status, HTTPStatus(refusal.status).phrase.encode(), len(body), body)
            )
        self.transport.close()

    def _head_late(self) -> None:
        self._head_timer = None
        if self._in_head and self._head_bytes:
            self._refusal = Refusal(408, "GEMBILL_HEAD_LATE", f"the request head took over {HEAD_SECONDS:.0f} seconds")
            self.send_400_response("")
        elif self._in_head:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def server(application: Application, host: str, port: int) -> uvicorn.Server:
    """A server that is not yet running. It serves until SIGTERM or SIGINT, then finishes what is under way."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
