"""What waits for the spool's writer, and who waits for the result.

Owns: one request to the writer, what a batch of them amounts to, and the release of the waiters. Not here: files.
Invariant: a waiter gets one result; the waiters of one event loop get theirs with one call into it per batch, because
that call writes to the loop's wake-up socket.
"""

import asyncio
import time
from collections.abc import Container, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum

from gembill.errors import SpoolError
from gembill.spool.frames import MAX_ID

MAX_BODY = 16 * 1024 * 1024

Waiter = asyncio.Future[int] | Future[int]
Outcome = int | Exception


class WriteKind(Enum):
    """What the writer is asked for."""

    INTENT = "intent"
    COMPLETION = "completion"
    WITHDRAWAL = "withdrawal"  # of an intent that was refused, or whose caller did not wait
    STOP = "stop"


class WriteRequest:
    """One entry on its way to disk. Raises SpoolError for an entry that no file could take."""

    __slots__ = ("at_us", "body", "event_id", "kind", "name", "waiters")

    def __init__(self, kind: WriteKind, event_id: str = "", body: bytes = b"", waiter: Waiter | None = None) -> None:
        if len(body) > MAX_BODY:
            raise SpoolError(f"the entry {event_id} has {len(body)} bytes; the spool takes at most {MAX_BODY}")
        try:
            self.name = event_id.encode()
        except UnicodeEncodeError as error:
            raise SpoolError(f"the entry {event_id!r} has an id that is not text: {error}") from error
        if len(self.name) > MAX_ID:
            raise SpoolError(f"the entry {event_id} has an id of more than {MAX_ID} bytes")
        self.kind = kind
        self.event_id = event_id
        self.body = bytes(body)
        self.at_us = time.time_ns() // 1000
        self.waiters: list[Waiter] = [] if waiter is None else [waiter]


@dataclass(slots=True)
class WriteBatch:
    """What one transaction is to do, by event id."""

    intents: dict[str, WriteRequest] = field(default_factory=dict)
    completions: dict[str, WriteRequest] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    known: list[WriteRequest] = field(default_factory=list)  # intents that need no row

    def take(self, request: WriteRequest, opened: Container[str]) -> None:
        """Add one request, given the intents that are open; a second one for the same entry joins the first."""
        name = request.event_id
        if request.kind is WriteKind.WITHDRAWAL:
            self.withdrawn.append(name)
            self._spare(name)
        elif request.kind is WriteKind.COMPLETION:
            self._spare(name)
            first = self.completions.setdefault(name, request)
            if first is not request:
                first.waiters += request.waiters
        elif name in opened or name in self.intents:
            self.known.append(request)
        else:
            self.intents[name] = request

    def _spare(self, name: str) -> None:
        """Its intent would be written and removed in one transaction."""
        spared = self.intents.pop(name, None)
        if spared is not None:
            self.known.append(spared)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nobody waits."""
        return not (self.intents or self.completions or self.withdrawn or self.known)


def release(outcomes: Iterable[tuple[WriteRequest, Outcome]]) -> None:
    """Give everyone who waits on these requests the outcome; a request has no waiters afterwards."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Waiter, Outcome]]] = {}
    for request, outcome in outcomes:
        for waiter in request.waiters:
            loop = None if isinstance(waiter, Future) else waiter.get_loop()
            by_loop.setdefault(loop, []).append((waiter, outcome))
        request.waiters = []
    if None in by_loop:
        _resolve(by_loop.pop(None))
    for loop, results in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, results)  # type: ignore[union-attr]
        except RuntimeError:
            # The loop is closed, and with it everyone who waited there.
            continue


def _resolve(results: list[tuple[Waiter, Outcome]]) -> None:
    for waiter, outcome in results:
        if waiter.done():  # cancelled, or out of patience
            continue
        if isinstance(outcome, Exception):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)
