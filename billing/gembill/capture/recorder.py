"""What is kept of every call that passes, and what is said when it cannot be kept.

Owns: the two durable writes of a call, its intent before anything is forwarded and its event before the end of the
answer is released; those of a poll, which has no intent; and the counts of what went wrong. Not here: HTTP. Invariant:
a call is refused only before it was forwarded; after that its caller gets the answer, whatever happens here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from uuid_utils import uuid7

from gembill.capture.attribution import Caller, Header
from gembill.capture.batch_results import AT_ONCE, exchange_for
from gembill.capture.context import ContextCache
from gembill.capture.exchange import Exchange
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.slices import others
from gembill.errors import Refusal, SpoolUnwritable
from gembill.event import Ending
from gembill.spool import Spool
from gembill.wire.routes import Role, Route

_log = logging.getLogger("gembill.recorder")


def now_us() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class RecorderErrors:
    """What went wrong since the start, for the health page. Counts of calls."""

    unrecorded: int = 0  # served without a record, by `--on-record-failure open`
    refused: int = 0
    late: int = 0  # answered before their record was durable
    last_error: str | None = None
    last_error_us: int | None = field(default=None)

    def note(self, text: str) -> None:
        """Remember the last error, in words fit to be shown."""
        self.last_error, self.last_error_us = text, now_us()


@dataclass(slots=True)
class Call:
    """A call under way: its exchange, the monotonic second it began, and whether any of it may be at the upstream."""

    exchange: Exchange
    began: float
    occurred_us: int
    forwarded: bool = False

    def forwarding(self) -> None:
        """The first byte is about to leave: from now on it may cost something."""
        self.forwarded = True

    @property
    def ended_us(self) -> int:
        """Now, on a clock that does not jump within a call."""
        return self.occurred_us + int((time.monotonic() - self.began) * 1e6)


class Recorder:
    """Begins and ends the recording of calls on one spool."""

    def __init__(
        self, spool: Spool, fingerprint: Fingerprint, *, open_on_failure: bool, remember: Callable[..., None]
    ) -> None:
        self.spool = spool
        self.errors = RecorderErrors()
        self._fingerprint = fingerprint
        self._open_on_failure = open_on_failure
        self._remember = remember
        self._context = ContextCache()
        self.labels: Mapping[str, str] = {}
        """Given to every call from now on, over those of its caller; replaced, never changed."""

    @property
    def unread_batches(self) -> tuple[str, ...]:
        """The batches that were made here and whose results did not pass: what they cost is in no record."""
        return self._context.unread_batches

    async def begin(
        self, route: Route, caller: Caller, headers: Sequence[Header], *, waited: float = 0.0
    ) -> Call | None:
        """Write the intent of a call; a poll or a notice has none, and owes nothing if it is lost.

        Of the headers those are needed that say how the body is packed.
        `waited` is how many seconds ago it was received. None where recording failed and the call is served all the
        same; else Refusal (503). Downloads of files are not refused: most of them hold no results.
        """
        call = self._call(route, caller, waited)
        exchange = call.exchange
        exchange.request_headers(headers)
        if route.role is Role.NOTICE or route.is_file:
            return call
        try:
            self.spool.check()
            if route.role is Role.CALL:
                await self.spool.intend(exchange.event_id, exchange.intent())
        except SpoolUnwritable as error:
            self._refuse_or_count(error)
            return None
        return call

    async def begin_another(self, route: Route, caller: Caller) -> Call:
        """The next call of a session that is open: it is not refused, its event is written when the disk takes it."""
        call = self._call(route, caller)
        try:
            await self.spool.intend(call.exchange.event_id, call.exchange.intent())
        except SpoolUnwritable as error:
            self.errors.note(f"a call of a session has no intent on disk: {error}")
            _log.error("call %s of a session has no intent on disk: %s", call.exchange.event_id, error)
        return call

    def undo(self, call: Call) -> None:
        """Take the intent of a call back that nothing was asked of: there is no record of it."""
        call.exchange.finished = True
        self.spool.withdraw(call.exchange.event_id)

    def _call(self, route: Route, caller: Caller, waited: float = 0.0) -> Call:
        occurred_us, began = now_us() - round(waited * 1e6), time.monotonic() - waited
        self._remember(caller.credentials)
        caller = replace(caller, labels={**caller.labels, **self.labels}) if self.labels else caller
        exchange = exchange_for(
            str(uuid7()),
            occurred_us,
            route=route,
            caller=caller,
            fingerprint=self._fingerprint,
            context=self._context,
        )
        return Call(exchange, began, occurred_us)

    async def keep_results(self, exchange: Exchange) -> None:
        """Write the events of the results that came so far, some at a time, so that neither memory nor others wait.

        On return they are durable, as at `end`.
        """
        if not exchange.has_results:
            return
        ready: list[tuple[str, bytes]] = []
        try:
            for events in exchange.results():
                ready += events
                await others()
                if len(ready) >= AT_ONCE:
                    group, ready = ready, []
                    await self._keep_all(group)
        except BaseException:  # the task is cancelled: what was taken out of the exchange is nowhere else
            for event in ready:
                self.spool.append_soon(*event)
            raise
        await self._keep_all(ready)

    async def _keep_all(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Write these in one group. Cancelling does not take it back."""
        await asyncio.shield(asyncio.gather(*(self._keep(*event) for event in events)))

    async def end(self, call: Call | None, ending: Ending, *, retried: int = 0) -> None:
        """Write the event; on return it is durable, or its lateness is counted and the spool goes on trying."""
        if call is None or call.exchange.finished:
            return
        if call.exchange.lists_results:
            call.exchange.end_answer()
            await self.keep_results(call.exchange)
        for event in call.exchange.events(ending, call.ended_us, retried=retried):
            await self._keep(*event)

    def end_at_once(self, call: Call | None) -> None:
        """The same where nothing can be awaited any more, whatever it was that ended the task."""
        if call is not None and not call.exchange.finished:
            ending = Ending.CUT if call.forwarded else Ending.UNSENT
            for event_id, body in call.exchange.events(ending, call.ended_us):
                self.spool.append_soon(event_id, body)

    async def _keep(self, event_id: str, body: bytes) -> None:
        try:
            await self.spool.append(event_id, body)
        except SpoolUnwritable as error:
            self.errors.late += 1
            self.errors.note(f"a call was answered before its record was durable: {error}")
            _log.error("call %s was answered before its record was durable: %s", event_id, error)

    def _refuse_or_count(self, error: SpoolUnwritable) -> None:
        self.errors.note(f"a call could not be recorded: {error}")
        if not self._open_on_failure:
            self.errors.refused += 1
            raise Refusal(503, "GEMBILL_CANNOT_RECORD", f"not forwarded, because the call cannot be recorded: {error}")
        self.errors.unrecorded += 1
        _log.error("a call is served UNRECORDED (--on-record-failure open): %s", error)
