"""From spool to ledger: the one place where what was seen meets what it costs.

Owns: the order of reading, metering, rating and writing, the retries, and what becomes of an event that cannot be
posted. Owns no rule of either and no SQL. Invariant: an event is in the ledger once, or among the dead letters with its
bytes and the reason, or still in the spool; the ledger being away loses nothing and delays no caller.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from gembill.errors import LedgerError
from gembill.ledger import InvalidPosting, Ledger, RatedEvent
from gembill.ledger.read import chains
from gembill.model import EVENT_VERSION, Event, Operation, Record
from gembill.price_catalog import PricingTerms
from gembill.rules import identity
from gembill.rules.metering import meter
from gembill.spool import SegmentEntry, Spool

_log = logging.getLogger("gembill.posting")
_BATCH = 500
_LINGER = 0.15
_LONGEST_PAUSE = 30.0
_decoder = msgspec.json.Decoder(Event)


class UnreadableEvent(Exception):
    """An event of the spool that this version cannot read."""


def read_event(body: bytes) -> Event:
    """The event of its stored form; UnreadableEvent says why it is none."""
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
    return RatedEvent(
        seq=entry.seq,
        event_id=entry.event_id,
        body=entry.body,
        record=record,
        rating=terms.rate(record),
        rate=terms.rate,
    )


def joined(ledger: Ledger, postings: Sequence[RatedEvent]) -> list[RatedEvent]:
    """The postings with every interaction in the conversation of the first of its chain (contract.md, Conversations).

    The one before is looked for among the postings, in whatever order they are, and in the ledger; where it is unknown,
    its id stands.
    """
    before = {_key(one.record): key for one in postings if (key := _before(one.record)) is not None}
    if not before:
        return list(postings)
    known = {_key(one.record): one.record.conversation for one in postings if _names_conversation(one.record)}
    known |= chains(ledger, set(before.values()))
    return [replace(one, record=_chained(one.record, before, known)) for one in postings]


def _chained(
    record: Record, before: Mapping[tuple[int, str], tuple[int, str]], known: Mapping[tuple[int, str], str | None]
) -> Record:
    """The record in the conversation of the first of its chain, as far back as that is known."""
    found, key = record.conversation, _key(record)
    passed = set()
    while key in before and key not in passed:
        passed.add(key)
        key = before[key]
        found = known.get(key, found)
    return record if found == record.conversation else replace(record, conversation=found)


def _key(record: Record) -> tuple[int, str]:
    return record.source_id, record.id


def _names_conversation(record: Record) -> bool:
    return record.operation is Operation.INTERACTIONS and bool(record.conversation)


def _before(record: Record) -> tuple[int, str] | None:
    """The identity of the interaction that this one goes on from."""
    if record.operation is not Operation.INTERACTIONS or record.conversation in (None, record.response_id):
        return None
    return identity.natural("interaction", record.api.value, record.conversation or "")


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
    """Posts spools to a ledger. Owned by one thread; `open_ledger` is called anew after every failure.

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
            postings = [found for entry in entries if (found := self._read(source_id, entry, terms)) is not None]
            self._append(source_id, joined(self._opened(), postings))
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

    def _append(self, source_id: int, postings: list[RatedEvent]) -> None:
        """Append a batch; one that holds an unfit posting is halved until that stands alone, and is buried."""
        if not postings:
            return
        try:
            self.progress.posted += self._opened().append(source_id, postings)
        except InvalidPosting as error:
            if len(postings) == 1:
                unfit = postings[0]
                _log.error("event %s is kept among the dead letters: %s", unfit.event_id, error)
                self._bury(source_id, unfit.seq, unfit.event_id, unfit.body, str(error))
                return
            middle = len(postings) // 2
            self._append(source_id, postings[:middle])
            self._append(source_id, postings[middle:])

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
                pause = min(_LONGEST_PAUSE, max(0.25, pause * 2)) * random.uniform(0.75, 1.25)  # noqa: S311

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
