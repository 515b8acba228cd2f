"""A session of the Live API as it passes: frames in, records out.

Owns: which messages of a session make one call. Not here: the relay of its bytes (`proxy`), frames (`websocket`) and
the meaning of a message (`wire.live`). Invariant: bytes are given to it after they went on, and it changes and delays
none of them; every usage that the API sent is a record, and work of the model that no usage came for is one whose usage
is unknown; a message is read in slices, so that none holds up other callers, however long it is.

The intent of the first call is durable before the session is opened. Each usage ends a call; the next begins with what
the client or the model says after it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from gembill.capture.attribution import Header
from gembill.capture.recorder import Call, Recorder
from gembill.capture.slices import PACKED, PLAIN, in_slices
from gembill.capture.websocket import Messages
from gembill.event import Ending, UnreadReason
from gembill.wire import live
from gembill.wire.live import Progress

_log = logging.getLogger("gembill.live")


class LiveSession:
    """Records one session. `first` is its first call; `begin_another` makes the ones after it."""

    def __init__(
        self,
        first: Call,
        fields_back: Sequence[Header],
        begin_another: Callable[[], Awaitable[Call]],
        recorder: Recorder,
    ) -> None:
        deflated = any(name.lower() == b"sec-websocket-extensions" and value.strip() for name, value in fields_back)
        self._of_client = Messages(masked=True, deflated=deflated)
        self._of_server = Messages(masked=False, deflated=deflated)
        self._begin_another = begin_another
        self._recorder = recorder
        self._call: Call | None = first
        self._asked = False  # whether the call under way has anything that may cost
        self._setup: bytes | None = None
        self._taking = asyncio.Lock()  # both directions begin and end calls

    async def sent(self, data: bytes) -> None:
        """Bytes that went on to the API."""
        await self._take(self._of_client, data, self._said)

    async def received(self, data: bytes) -> None:
        """Bytes that went back to the client."""
        await self._take(self._of_server, data, self._answered)

    async def close(self, ending: Ending) -> None:
        """The session is over: write the call under way, or take it back if nothing was asked of it."""
        async with self._taking:
            if self._call is not None and not self._asked:
                self._recorder.undo(self._call)
                self._call = None
            await self._finish(ending)

    async def _take(self, messages: Messages, data: bytes, each: Callable[[bytes], Awaitable[None]]) -> None:
        async with self._taking:
            try:
                heard: list[bytes] = []
                size = PACKED if messages.deflated else PLAIN
                await in_slices(
                    lambda piece: heard.extend(messages.feed(piece)), data, size, partial(_all, heard, each)
                )
                await self._note_trouble(messages)
            except Exception:  # noqa: BLE001 - a mistake of ours may cost the count, loudly, but never the session
                _log.exception("a message of a session could not be read")
                messages.trouble = messages.trouble or UnreadReason.RECORDER_ERROR
                await self._note_trouble(messages)

    async def _said(self, message: bytes) -> None:
        if self._setup is None and live.is_setup(message):
            self._setup = message
            self._give_setup()
        elif live.asks(message):
            await self._work()

    async def _answered(self, message: bytes) -> None:
        progress = live.progress(message)
        if progress is not Progress.NONE:
            await self._work()
        shortened, self._of_server.shortened = self._of_server.shortened, None
        if self._call is not None:
            self._call.exchange.document(message)
            if shortened is not None:
                self._call.exchange.mark_unread(shortened)
        if progress is Progress.COUNTED:
            await self._finish(Ending.FINISHED)

    async def _work(self) -> None:
        if self._call is None:
            self._call = await self._begin_another()
            self._call.forwarding()
            self._call.exchange.answered(101, [])
            self._give_setup()
        self._asked = True

    def _give_setup(self) -> None:
        if self._call is not None and self._setup is not None:
            self._call.exchange.sent(self._setup)

    async def _finish(self, ending: Ending) -> None:
        call, self._call, self._asked = self._call, None, False
        await self._recorder.end(call, ending)

    async def _note_trouble(self, messages: Messages) -> None:
        """What can be read no further may cost all the same: from here on one call is open until the end."""
        if messages.trouble is None:
            return
        await self._work()
        assert self._call is not None
        self._call.exchange.mark_unread(messages.trouble)


async def _all(heard: list[bytes], each: Callable[[bytes], Awaitable[None]]) -> None:
    """Look at the messages that a slice completed."""
    for message in heard:
        await each(message)
    heard.clear()
