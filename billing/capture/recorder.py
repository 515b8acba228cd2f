"""What is kept of every call that passes, and what is said when it cannot be kept.

Owns: the two durable writes of a call, its intent before anything is forwarded and its event before the end of the
answer is released, and the counts of what went wrong. Owns no HTTP. Invariant: a call is refused only before it was
forwarded; after that its caller gets the answer, whatever happens here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from uuid_utils import uuid7

from billing.capture.caller import Caller, Header
from billing.capture.exchange import Exchange
from billing.capture.fingerprint import Fingerprint
from billing.capture.spool import Spool
from billing.errors import Refusal, SpoolUnwritable
from billing.model import Ending
from billing.wire.path import Route

_log = logging.getLogger("gembill.recorder")


def now_us() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class Faults:
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
    """A call under way: its exchange and the monotonic second it began."""

    exchange: Exchange
    began: float
    occurred_us: int

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
        self.faults = Faults()
        self._fingerprint = fingerprint
        self._open_on_failure = open_on_failure
        self._remember = remember

    async def begin(self, route: Route, caller: Caller, headers: list[Header]) -> Call | None:
        """Write the intent. None where recording failed and the call is served all the same; else Refusal (503)."""
        occurred_us, began = now_us(), time.monotonic()
        self._remember(caller.credentials)
        exchange = Exchange(str(uuid7()), occurred_us, route=route, caller=caller, fingerprint=self._fingerprint)
        exchange.request_headers(headers)
        try:
            self.spool.check()
            await self.spool.intend(exchange.event_id, exchange.intent())
        except SpoolUnwritable as error:
            self._refuse_or_count(error)
            return None
        return Call(exchange, began, occurred_us)

    async def end(self, call: Call | None, ending: Ending, *, retried: int = 0) -> None:
        """Write the event; on return it is durable, or its lateness is counted and the spool goes on trying."""
        if call is None or call.exchange.finished:
            return
        body = call.exchange.finish(ending, call.ended_us, retried=retried)
        try:
            await self.spool.append(call.exchange.event_id, body)
        except SpoolUnwritable as error:
            self.faults.late += 1
            self.faults.note(f"a call was answered before its record was durable: {error}")
            _log.error("call %s was answered before its record was durable: %s", call.exchange.event_id, error)

    def end_at_once(self, call: Call | None, ending: Ending) -> None:
        """The same where nothing can be awaited any more, because the task is being cancelled."""
        if call is not None and not call.exchange.finished:
            self.spool.append_soon(call.exchange.event_id, call.exchange.finish(ending, call.ended_us))

    def _refuse_or_count(self, error: SpoolUnwritable) -> None:
        self.faults.note(f"a call could not be recorded: {error}")
        if not self._open_on_failure:
            self.faults.refused += 1
            raise Refusal(503, "GEMBILL_CANNOT_RECORD", f"not forwarded, for the call cannot be recorded: {error}")
        self.faults.unrecorded += 1
        _log.error("a call is served UNRECORDED (--on-record-failure open): %s", error)
