"""From spool to ledger: the one place where what was seen meets what it costs.

Owns: the order of reading, metering, rating and writing, and what becomes of an event that cannot be posted. Not here:
the rules (`gembill.rules`), SQL (`gembill.ledger`), and when to post and post again (`posting_loop`). Invariant: an
event is in the ledger once, or among the dead letters with its bytes and the reason, or still in the spool; the ledger
being away loses nothing and delays no caller.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gembill.errors import LedgerError
from gembill.event import EVENT_VERSION, Event
from gembill.ledger import (
    InvalidPosting,
    Ledger,
    LedgerUnavailable,
    RatedEvent,
    Reason,
    Transaction,
    count_unreplayed,
    read_chains,
)
from gembill.ledger_watch import LedgerWatch
from gembill.model import Anomaly, Rating, Record, Status
from gembill.posting_progress import PostingProgress
from gembill.price_catalog import PricingTerms
from gembill.rules import conversation
from gembill.rules.merging import completed, is_fuller, supplemented
from gembill.rules.metering import meter
from gembill.spool import SegmentEntry, Spool, SpoolReader
from gembill.usage_counters import UsageCounters

_log = logging.getLogger("gembill.posting")
_BATCH = 1_000
REPLACED = "the file of the ledger was removed or replaced"
_T = TypeVar("_T")
_decoder = msgspec.json.Decoder(Event)
_Addition = tuple[Callable[[UsageCounters, Record, Rating], None], Record, Rating] | None
"""How a record adds to the counts by model; None where it was counted before."""


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


def append(
    ledger: Ledger,
    source_id: int,
    postings: Sequence[RatedEvent],
    rate: Callable[[Record], Rating],
    count: UsageCounters | None = None,
) -> int:
    """Write events, records, charges and rollups in one transaction; the number of events that were new.

    Events that are there already are skipped, so that repeating it is harmless. Of two answers to one call the fuller
    one counts, whichever comes first; `rate` gives the charges of the record that they make together. What the ledger
    took is added to `count`. The errors are those of `Ledger.attempts`.
    """
    fresh: list[RatedEvent] = []
    additions: list[_Addition] = []
    for attempt in ledger.attempts("post"):
        with attempt as transaction:
            fresh = transaction.receive(source_id, postings)
            additions = [_enter(transaction, source_id, one, rate) for one in fresh]
    if count is not None:
        for add, record, rating in filter(None, additions):
            add(count, record, rating)
    return len(fresh)


def _enter(transaction: Transaction, source_id: int, new: RatedEvent, rate: Callable[[Record], Rating]) -> _Addition:
    """Open a record, or complete it: by the answer, if it is fuller than what is there, else by the question.

    What two answers make together is rated again: the time, the tier and the key of the call decide the price, not
    those of a poll.
    """
    stored = transaction.current(new.record)
    if stored is None:
        transaction.open(source_id, new)
        return UsageCounters.add_call, new.record, new.rating
    old = stored.record
    if is_fuller(new.record, old):
        same_tier = new.record.tier_reported or new.record.service_tier == old.service_tier
        record = completed(old if same_tier else _read_again(transaction, old) or old, new.record)
        rating = rate(record)
        transaction.complete(source_id, new, record, rating)
        return (UsageCounters.add_usage, record, rating) if old.tokens.total is None else None
    if supplemented(old, new.record) != old:
        _amend(transaction, old, new.record, rate)
    return None


def _amend(transaction: Transaction, old: Record, poorer: Record, rate: Callable[[Record], Rating]) -> None:
    again = _read_again(transaction, old)
    if again is None:
        transaction.amend(supplemented(old, poorer))
        return
    record = supplemented(again, poorer)
    transaction.correct(record, rate(record), Reason.FULLER_ANSWER)


def _read_again(transaction: Transaction, record: Record) -> Record | None:
    """A record with what the ledger does not keep of it; None, loudly, where its event does not give that again."""
    evidence = transaction.evidence(record)
    try:
        again = None if evidence is None else read_again(record, *evidence)
    except Exception:  # noqa: BLE001 - the answer at hand must not be lost for the sake of an old one
        again = None
    if again is None:
        _log.error("record %s keeps its charges: its event cannot be read as it was; see `gembill repost`", record.id)
    return again


def read_again(record: Record, source_id: int, body: bytes) -> Record | None:
    """A record of the ledger with what is not kept there, read again from its event, which `source_id` saw.

    None where this version reads other counts from it. UnreadableEvent where it cannot be read at all.
    """
    fresh = meter(read_event(body), source_id)
    if (fresh.tokens, fresh.status) != (record.tokens, record.status):
        return None
    return replace(record, readings=fresh.readings, flags=fresh.flags, tier_reported=fresh.tier_reported)


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


class Poster:
    """Posts spools to a ledger. Owned by one thread; `open_ledger` is called again after every failure.

    `terms` gives the prices and policies in force in the ledger and is asked for every batch.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], terms: Callable[[Ledger], PricingTerms]) -> None:
        self.progress = PostingProgress()
        self._open_ledger = open_ledger
        self._terms = terms
        self._ledger: Ledger | None = None
        self._noted: PricingTerms | None = None
        self._watch = LedgerWatch()

    def drain(self, spool: Spool | SpoolReader, most: int = sys.maxsize) -> int:
        """Post what a spool holds, until `most` entries or more are done; how many. LedgerError when the ledger cannot
        take them now, SpoolRefused when it never will."""
        done = 0
        while done < most:
            entries = spool.read(spool.posted, _BATCH)
            if entries or self._ledger is not None:
                self._look_after(spool)
            if not entries:
                break
            self._post(spool.source_id, entries)
            spool.mark_posted(entries[-1].seq)
            done += len(entries)
        return done

    def look(self) -> None:
        """Ask the ledger for its dead letters before anything is posted."""
        try:
            self._opened()
        except Exception as error:  # noqa: BLE001 - the first batch asks again, and says loudly what is wrong
            _log.info("the ledger cannot be asked yet: %s", error)
            self.close()

    def _look_after(self, spool: Spool | SpoolReader) -> None:
        """Whether the ledger is still the one that this spool was posted to."""
        try:
            ledger = self._current()
            if self._watch.is_due(spool.source_id) and self._watch.look(ledger, spool):
                self.progress.dead_letters = count_unreplayed(ledger)  # some may be records by now
        except LedgerError:
            self.close()
            raise
        self.progress.lacking, self.progress.gaps = self._watch.trouble, self._watch.gaps

    def _current(self) -> Ledger:
        """The ledger; another one where its file was removed or replaced since it was opened."""
        if self._ledger is not None and self._ledger.is_replaced():
            _log.error("%s; posting goes on in the one that is there now", REPLACED)
            self.close()
        return self._opened()

    def close(self) -> None:
        """Let go of the ledger."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _post(self, source_id: int, entries: Sequence[SegmentEntry]) -> None:
        try:
            self._opened().keep_log_short()
            terms = self._terms(self._opened())
            self._note_prices(terms)
            read = [self._read(source_id, entry, terms) for entry in entries]
            postings = joined(self._opened(), [one for one in read if one is not None])
            write_halving(postings, partial(self._append, source_id, terms), partial(self._refuse, source_id))
            if self._opened().is_replaced():  # nobody will read what was just written
                raise LedgerUnavailable(f"{REPLACED}; its last events are posted again")
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
        new = append(self._opened(), source_id, batch, terms.rate, self.progress.usage)
        self.progress.note_lag(max(one.record.ended_us or one.record.occurred_us for one in batch))
        self.progress.posted += new
        if new:  # else all of them were counted before
            self.progress.unknown += sum(one.record.status is Status.UNKNOWN for one in batch)
            self.progress.unmetered += sum(Anomaly.UNMETERED_SURFACE in one.record.anomalies for one in batch)
        return new

    def _refuse(self, source_id: int, unfit: RatedEvent, error: InvalidPosting) -> None:
        _log.error("event %s is kept among the dead letters: %s", unfit.event_id, error)
        self._bury(source_id, unfit.seq, unfit.event_id, unfit.body, str(error))

    def _bury(self, source_id: int, seq: int | None, event_id: str, body: bytes, reason: str) -> None:
        self._opened().add_dead_letter(source_id, seq, event_id, body, reason)
        self.progress.buried += 1
        self.progress.dead_letters = (self.progress.dead_letters or 0) + 1

    def _note_prices(self, terms: PricingTerms) -> None:
        """How old the prices are, once for each list of them."""
        if terms is not self._noted:
            self._noted = terms
            self.progress.prices_checked_on = max((row.checked_on for row in terms.book.rows), default=None)

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._open_ledger()
            self._watch.forget()
            self.progress.dead_letters = count_unreplayed(self._ledger)
        return self._ledger
