"""How long a call waits for the disk, kept by one look a second and not by a timer for each call.

Owns: the waiters of every event loop since when they wait, and giving up those that waited too long. Not here: the
writer. Invariant: a waiter is given up in its own loop, at most a second late; what it waited for is written all the
same.
"""

import asyncio
import time
from collections.abc import Callable

from gembill.errors import SpoolUnwritable

LOOK_S = 1.0

Waiters = dict["asyncio.Future[int]", float]


class Patience:
    """Gives up who waits for more than `seconds`; `words` says why."""

    def __init__(self, seconds: float, words: Callable[[], str]) -> None:
        self._seconds = seconds
        self._words = words
        self._waiting: dict[asyncio.AbstractEventLoop, Waiters] = {}

    def begin(self, loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[int]") -> Waiters:
        """Look after a waiter of the running loop; who has its answer takes it out of what this gives."""
        waiters = self._waiting.get(loop)
        if waiters is None:
            waiters = self._waiting[loop] = {}
            self._arm(loop)
        waiters[waiter] = time.monotonic()
        return waiters

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(min(LOOK_S, self._seconds / 4), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        waiters, limit = self._waiting[loop], time.monotonic() - self._seconds
        for waiter, since in waiters.items():  # in the order of their coming
            if since > limit:
                break
            if not waiter.done():
                waiter.set_exception(SpoolUnwritable(self._words()))
        if waiters:
            self._arm(loop)
        else:
            del self._waiting[loop]
