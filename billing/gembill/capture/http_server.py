"""The listener of the proxy: it accepts connections, keeps their time, and stops gracefully.

Owns: the sockets, the loop that serves them, the timer of all deadlines, and the end. Not here: what happens on a
connection (`http_connection`). Invariant: once told to stop, no connection is accepted, what is under way has
`stop_seconds` to end unless it is hurried, and the handler is closed last. One that retires, because another process
serves the same sockets, closes no connection under the hands of a caller who may be about to use it.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

from gembill.capture.admission import OPEN
from gembill.capture.crowd import Crowd, Room
from gembill.capture.doors import Doors
from gembill.capture.http_connection import HttpConnection
from gembill.capture.http_request import Request

STOP_SECONDS = 30.0
LINGER_SECONDS = 5.0  # that a server which retires waits for another request on a connection that has none
TICK_SECONDS = 0.5  # how late a deadline may be seen
BACKLOG = 2048  # connections that wait to be accepted
_SECONDS_BETWEEN_WARNINGS = 60.0

_log = logging.getLogger("gembill.server")


class Handler(Protocol):
    """What answers requests."""

    async def __call__(self, request: Request) -> None:
        """Answer one; a request that it leaves without an end is cut."""

    async def close(self) -> None:
        """The last request was answered."""


class Server:
    """Serves a handler until `should_exit`, which can be set from any thread and from a signal handler."""

    def __init__(
        self,
        handler: Handler,
        tls: ssl.SSLContext | None = None,
        doors: Doors = OPEN,
        stop_seconds: float = STOP_SECONDS,
        room: Room = Room(),  # noqa: B008 (frozen)
    ) -> None:
        self.started = self.hurried = False
        self._stop_seconds = stop_seconds
        self._handler = handler
        self._tls = tls
        self._doors = doors
        self._connections: set[HttpConnection] = set()
        self._crowd = Crowd(room)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._retires = False
        self._lost = asyncio.Event()
        self._exit = False
        self._warned = float("-inf")

    @property
    def should_exit(self) -> bool:
        """Whether the end was asked for."""
        return self._exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._exit = value
        if value:
            self._set(self._stop)

    def hurry(self) -> None:
        """End now: what is under way is broken off. From any thread, as `retire`."""
        self.hurried = True
        self._set(self._hurry)
        self.should_exit = True

    def retire(self) -> None:
        """End, while another process accepts connections on these sockets."""
        self._retires = True
        self.should_exit = True

    def _set(self, event: asyncio.Event) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(event.set)

    def run(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on these sockets in a loop of its own."""
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(self.serve(sockets))

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on these sockets in the running loop."""
        loop = self._loop = asyncio.get_running_loop()
        listeners = [
            await loop.create_server(
                lambda: HttpConnection(self, self._handler, loop, self._doors),
                sock=each,
                backlog=BACKLOG,
                ssl=self._tls,
            )
            for each in sockets
        ]
        ticking = loop.create_task(self._tick())
        self.started = True
        if self._exit:
            self._stop.set()
        if self.hurried:
            self._hurry.set()
        await self._stop.wait()
        for listener in listeners:
            listener.close()
        await self._finish()
        ticking.cancel()
        await self._handler.close()

    def opened(self, connection: HttpConnection, task: asyncio.Task[None]) -> None:
        """A client came (`http_connection.Owner`)."""
        self._connections.add(connection)
        self._crowd.enter(connection, self._connections)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._exit:
            connection.stop(linger=self._retires)

    def lost(self, connection: HttpConnection) -> None:
        """Its connection is closed (`http_connection.Owner`)."""
        self._connections.discard(connection)
        self._crowd.leave(connection)
        self._lost.set()

    def spoke_tls(self) -> None:
        """A client began with TLS (`http_connection.Owner`): that is said, but not each time."""
        assert self._loop is not None
        now = self._loop.time()
        if now - self._warned >= _SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            _log.warning("a client spoke TLS to this port, which is plain HTTP: its base URL must begin with http://")

    async def _tick(self) -> None:
        """Look at all deadlines: one timer for all connections instead of one per wait."""
        assert self._loop is not None
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._loop.time()
            for connection in [each for each in self._connections if each.deadline <= now]:
                self._loop.call_soon(connection.expire)  # whose mistakes must not stop the time

    async def _finish(self) -> None:
        """Let what is under way come to its end, also where the client has left; then break off."""
        assert self._loop is not None
        for connection in tuple(self._connections):
            connection.stop(linger=self._retires)
        if self._retires:
            self._loop.call_later(LINGER_SECONDS, self._close_idle)
        waits = [self._loop.create_task(self._all_ended()), self._loop.create_task(self._hurry.wait())]
        await asyncio.wait(waits, timeout=self._stop_seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await self._break_off()

    def _close_idle(self) -> None:
        """Close what waited long enough for a request, now and then again."""
        assert self._loop is not None
        for connection in tuple(self._connections):
            connection.close_idle()
        if self._connections:
            self._loop.call_later(LINGER_SECONDS, self._close_idle)

    async def _all_ended(self) -> None:
        """Until no answer is under way and what was sent has left."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))
        while self._connections:
            self._lost.clear()
            await self._lost.wait()

    async def _break_off(self) -> None:
        for connection in tuple(self._connections):
            connection.close(abort=True)
        late = tuple(self._tasks)
        if late:
            why = "it was told to hurry" if self.hurried else f"they took over {self._stop_seconds:.0f} s to end"
            _log.error("%d calls were broken off, because %s", len(late), why)
            for task in late:
                task.cancel()
            await asyncio.wait(late)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where it is installed: it costs two thirds of asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
