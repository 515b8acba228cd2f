"""Tells open pages that the ledger changed (server-sent events).

Owns: the one watch over the ledger, who listens to it, and when they stop. Not here: what changed; a page asks for
itself again. Invariant: nobody watches while nobody listens, and a file that was not touched is not read; the number of
listeners has a limit, and each ends with the server, or after some minutes: whoever still may comes back by itself.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gembill_reports.dashboard.guard import Receive, Scope, Send

LISTENERS = 50
_LOOK_SECONDS = 2.0  # how often the ledger is looked at
_TICK_SECONDS = 0.5  # how soon the end of the server is noticed
_STILL_SECONDS = 20.0  # after so long without a word one is said, so that a connection that is dead is noticed
_LIFE_SECONDS = 300.0
_MARK_CHARS = 64


class Live:
    """`mark` gives what the ledger is at; it is asked only when `touched` gives another value than before, which must
    not wait. `ended` says that the server ends. Both of the first are called in a thread.
    """

    def __init__(
        self,
        mark: Callable[[], str],
        touched: Callable[[], object] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._read, self._touched, self._ended = mark, touched, ended
        self._mark = ""
        self._state: object = None
        self._looking = asyncio.Lock()
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self.listeners = 0

    async def answer(self, request: Request) -> Response:
        """The stream of events for a page, whose mark the address names as `since`."""
        if request.method != "GET":
            return Response()
        if self.listeners >= LISTENERS or self._ended():
            return PlainTextResponse("too many pages listen already\n", 503, {"retry-after": "60"})
        return _Stream(self, request.query_params.get("since", "")[:_MARK_CHARS])

    async def send_changes(self, since: str, gone: asyncio.Future[Any], say: Callable[[str], Any]) -> None:
        """Say each new mark until the listener is `gone`, the server ends, or it was long enough."""
        if self.listeners >= LISTENERS:  # others came between the question and here
            return
        self.listeners += 1
        try:
            await self._look()  # the page may know more than was seen at the last look
            if self._watch is None or self._watch.done():
                self._watch = asyncio.create_task(self._keep_looking())
            await self._tell(since, gone, say)
        finally:
            self.listeners -= 1

    async def _tell(self, since: str, gone: asyncio.Future[Any], say: Callable[[str], Any]) -> None:
        until = time.monotonic() + _LIFE_SECONDS
        await say("retry: 3000\n\n")
        while not self._ended() and not gone.done() and time.monotonic() < until:
            changed = self._changed  # before the mark is compared: a change after that is not missed
            if self._mark and self._mark != since:
                since = self._mark
                await say(f"event: change\ndata: {since}\n\n")
                continue
            waiting = asyncio.ensure_future(changed.wait())
            done, _ = await asyncio.wait({waiting, gone}, timeout=_STILL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not done:
                await say(": still here\n\n")

    async def _keep_looking(self) -> None:
        """Look at the ledger as long as somebody listens."""
        due = time.monotonic() + _LOOK_SECONDS
        while self.listeners and not self._ended():
            if time.monotonic() >= due:
                await self._look()
                due = time.monotonic() + _LOOK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
        self._wake(self._mark)

    async def _look(self) -> None:
        """Wake the listeners if the ledger changed. What cannot be read now is read at the next look."""
        async with self._looking:  # one at a time, so that no older mark comes after a newer one
            state = await asyncio.to_thread(self._touched) if self._touched else object()
            if state == self._state:
                return
            try:
                mark = await asyncio.to_thread(self._read)
            except Exception:  # noqa: BLE001 - whatever it is, a page that asks for itself says it; here it may pass
                return
            self._state = state
            if mark != self._mark:
                self._wake(mark)

    def _wake(self, mark: str) -> None:
        self._mark = mark
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class _Stream(Response):
    """The answer to one listener."""

    media_type = "text/event-stream"

    def __init__(self, live: Live, since: str) -> None:
        super().__init__()
        self._live, self._since = live, since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer until the listener is gone."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def say(text: str) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

        gone = asyncio.create_task(_left(receive))
        with suppress(OSError):  # it left while something was said
            try:
                await self._live.send_changes(self._since, gone, say)
            finally:
                gone.cancel()
            await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    """Wait until the listener is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
