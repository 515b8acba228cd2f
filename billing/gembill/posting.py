"""From spool to ledger: the one place where what was seen meets what it costs.

Owns: the order of reading, metering, rating and writing, the retries, and what becomes of an event that cannot be
posted. Not here: the rules (`gembill.rules`) and SQL (`gembill.ledger`). Invariant: an event is in the ledger once, or
among the dead letters with its bytes and the reason, or still in the spool; the ledger being away loses nothing and
delays no caller.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gembill.errors import LedgerError
from gembill.event import EVENT_VERSION, Event
from gembill.ledger import InvalidPosting, Ledger, RatedEvent, Transaction, read_chains
from gembill.model import Rating, Record
from gembill.price_catalog import PricingTerms
from gembill.rules import conversation
from gembill.rules.merging import amended, completed, is_fuller
from gembill.rules.metering import meter
from gembill.spool import SegmentEntry, Spool

_log = logging.getLogger("gembill.posting")
_BATCH = 500
_LINGER = 0.15
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0  # seconds
_T = TypeVar("_T")
_decoder = msgspec.json.Decoder(Event)


class UnreadableEvent(Exception):
    """An event of the spool that this version cannot read."""


def read_event(body: bytes) -> Event:
    """The event of its stored form; UnreadableEvent says why it cannot be read."""
    try:
        event = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableEvent(f"the event cannot be read: {error}") from None
    if event.version > EVENT_VERSION:
        raise UnreadableEvent(f"the event has version {event.version}, this gembill reads up to {EVENT_VERSION}")
    return event


def posting(entry: SegmentEntry, source_id: int, terms: PricingTerms) -> RatedEvent:
    """An event read and rated, ready for the ledger."""
    record = meter(read_event(entry.body), source_id)
    return RatedEvent(seq=entry.seq, event_id=entry.event_id, body=entry.body, record=record, rating=terms.rate(record))


def joined(ledger: Ledger, postings: Sequence[RatedEvent]) -> list[RatedEvent]:
    """The postings with every interaction in the conversation of the first of its chain (contract.md, Conversations).

    The one before is looked for among the postings and in the ledger.
    """
    records = [one.record for one in postings]
    before = {key for record in records if (key := conversation.predecessor(record)) is not None}
    if not before:
        return list(postings)
    chained = conversation.chained(records, read_chains(ledger, before))
    return [replace(one, record=record) for one, record in zip(postings, chained, strict=True)]


def append(ledger: Ledger, source_id: int, postings: Sequence[RatedEvent], rate: Callable[[Record], Rating]) -> int:
    """Write events, records, charges and rollups in one transaction; the number of events that were new.

    Events that are there already are skipped, so that repeating it is harmless. Of two answers to one call the fuller
    one counts, whichever comes first; `rate` gives the charges of the record that they make together. The errors are
    those of `Ledger.attempts`.
    """
    fresh: list[RatedEvent] = []
    for attempt in ledger.attempts("post"):
        with attempt as transaction:
            fresh = transaction.receive(source_id, postings)
            for one in fresh:
                _enter(transaction, source_id, one, rate)
    return len(fresh)


def _enter(transaction: Transaction, source_id: int, new: RatedEvent, rate: Callable[[Record], Rating]) -> None:
    """Open a record, or complete it if the answer is fuller than what is there.

    What is completed is rated again: the call's time decides the price, not the poll's.
    """
    old = transaction.current(new.record)
    if old is None:
        transaction.open(source_id, new)
    elif is_fuller(new.record, old.record):
        record = completed(old.record, new.record)
        transaction.complete(source_id, new, record, rate(record))
    else:
        transaction.amend(amended(old.record, new.record))


def write_halving(
    batch: Sequence[_T], write: Callable[[Sequence[_T]], int], refuse: Callable[[_T, InvalidPosting], object]
) -> int:
    """Write a batch and give what `write` counted; where it holds what cannot be kept, halve it until that is alone.

    What stands alone and cannot be kept is refused, and the others are written all the same.
    """
    if not batch:
        return 0
    try:
        return write(batch)
    except InvalidPosting as error:
        if len(batch) == 1:
            refuse(batch[0], error)
            return 0
    middle = len(batch) // 2
    return sum(write_halving(half, write, refuse) for half in (batch[:middle], batch[middle:]))


def next_pause(pause: float) -> float:
    """Seconds to wait for a ledger that is away, after a wait of `pause`: twice as long, half a minute at most."""
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, pause * 2))


@dataclass(slots=True)
class Progress:
    """How posting fares, for the health page."""

    posted: int = 0
    buried: int = 0
    last_error: str | None = None
    last_error_us: int | None = None
    ledger_away: bool = field(default=False)

    def fail(self, text: str) -> None:
        """The ledger did not take a batch."""
        self.last_error, self.last_error_us, self.ledger_away = text, time.time_ns() // 1_000, True


class Poster:
    """Posts spools to a ledger. Owned by one thread; `open_ledger` is called again after every failure.

    `terms` gives the prices and policies in force in the ledger and is asked for every batch.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], terms: Callable[[Ledger], PricingTerms]) -> None:
        self.progress = Progress()
        self._open_ledger = open_ledger
        self._terms = terms
        self._ledger: Ledger | None = None

    def drain(self, spool: Spool) -> int:
        """Post all that a spool holds; how many entries. LedgerError when the ledger cannot take them now."""
        done = 0
        while entries := spool.read(spool.posted, _BATCH):
            self._post(spool.source_id, entries)
            spool.mark_posted(entries[-1].seq)
            done += len(entries)
        return done

    def close(self) -> None:
        """Let go of the ledger."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _post(self, source_id: int, entries: Sequence[SegmentEntry]) -> None:
        try:
            terms = self._terms(self._opened())
            read = [self._read(source_id, entry, terms) for entry in entries]
            postings = joined(self._opened(), [one for one in read if one is not None])
            write_halving(postings, partial(self._append, source_id, terms), partial(self._refuse, source_id))
        except LedgerError:
            self.close()  # the next try begins with a fresh connection
            raise
        self.progress.ledger_away = False

    def _read(self, source_id: int, entry: SegmentEntry, terms: PricingTerms) -> RatedEvent | None:
        try:
            return posting(entry, source_id, terms)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one event must not keep back the others
            _log.exception("event %s cannot be posted and is kept among the dead letters", entry.event_id)
            self._bury(source_id, entry.seq, entry.event_id, entry.body, f"{type(error).__name__}: {error}")
            return None

    def _append(self, source_id: int, terms: PricingTerms, batch: Sequence[RatedEvent]) -> int:
        new = append(self._opened(), source_id, batch, terms.rate)
        self.progress.posted += new
        return new

    def _refuse(self, source_id: int, unfit: RatedEvent, error: InvalidPosting) -> None:
        _log.error("event %s is kept among the dead letters: %s", unfit.event_id, error)
        self._bury(source_id, unfit.seq, unfit.event_id, unfit.body, str(error))

    def _bury(self, source_id: int, seq: int | None, event_id: str, body: bytes, reason: str) -> None:
        self._opened().add_dead_letter(source_id, seq, event_id, body, reason)
        self.progress.buried += 1

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._open_ledger()
        return self._ledger


class PostingThread(threading.Thread):
    """Keeps posting: its own spool as it fills, and the spools that dead processes left until they are empty."""

    def __init__(self, spool: Spool, adopted: Sequence[Spool], poster: Poster) -> None:
        super().__init__(name="gembill-posting", daemon=True)
        self._spool = spool
        self._adopted = list(adopted)
        self._poster = poster
        self._ended = threading.Event()

    def run(self) -> None:
        """Post until `end`, with growing pauses while the ledger is away."""
        pause = 0.0
        while not self._ended.wait(pause):
            try:
                self._round()
                pause = 0.0
            except Exception as error:  # noqa: BLE001 - said loudly and tried again for ever; the spool keeps everything
                _log.log(logging.WARNING if pause else logging.ERROR, "posting waits: %s", error)
                self._poster.progress.fail(str(error))
                pause = next_pause(pause) * random.uniform(0.75, 1.25)  # noqa: S311 - only parts the processes

    def end(self, timeout: float) -> None:
        """Stop after the batch under way, post once more what is left, and let go of the ledger."""
        self._ended.set()
        self.join(timeout)
        if self.is_alive():
            return
        try:
            self._poster.drain(self._spool)
        except LedgerError as error:
            _log.warning("what is not posted stays in the spool: %s", error)
        self._poster.close()
        for spool in self._adopted:
            spool.close(timeout)

    def _round(self) -> None:
        for spool in tuple(self._adopted):
            self._poster.drain(spool)
            spool.close(5.0)
            self._adopted.remove(spool)
        if self._spool.wait(0.5):
            self._ended.wait(_LINGER)  # a transaction costs as much as a hundred of its records
            self._poster.drain(self._spool)
