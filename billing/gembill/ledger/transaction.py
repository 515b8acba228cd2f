"""The rows one transaction adds: events, revisions, charges, label sets and what they change in the rollups.

Owns: which events are new, how a record is opened, completed, amended or corrected, and the order in which rows are
written. Not here: which answer says more and what it costs (`gembill.posting` decides by what `current` gives), retries
(`store`). Invariant: two writers that change one record at once cannot both succeed (the revision is in its key); all
writers take their locks in the same order, table by table and key by key.
"""

import socket
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, select

from gembill.errors import LedgerError
from gembill.ledger import event_bodies, mapping, rollup, schema, sql, validation
from gembill.ledger.entries import (
    NATURAL_SOURCES,
    LedgerRecord,
    Line,
    RatedEvent,
    Reason,
    billed_charges,
    correction,
    ledger_record,
    line_of,
    net_lines,
)
from gembill.ledger.errors import SpoolRefused
from gembill.model import Charge, Rating, Record

RecordKey = tuple[int, str]
EventKey = tuple[int, str]


def posted_at(connection: Connection, now_us: int) -> int:
    """When what a transaction writes was posted: now, but after all that a closed month has seen, however long it
    waited for its turn and whatever its clock says. `close_month` waits for every transaction that has asked this."""
    sql.lock_closings(connection, shared=True)
    seen_us = connection.exec_driver_sql("SELECT max(seen_us) FROM closed_month").scalar()
    return max(now_us, (seen_us or 0) + 1)


class Transaction:
    """A unit of work: what is known of the records it is about, and the rows that `write` adds for them.

    Steps: `receive` events, look at `current`, then `open`, `complete`, `correct` or `amend` each record; or `load` and
    `correct`.
    """

    def __init__(self, connection: Connection, now_us: int, *, trusting: bool = False) -> None:
        """`trusting`: a spool's events are taken for new ones unasked, which their keys refuse where they are not."""
        self.connection = connection
        self.now_us = now_us
        self._trusting = trusting
        self._engine = connection.dialect.name
        self._current: dict[RecordKey, LedgerRecord] = {}
        self._events: dict[RecordKey, EventKey] = {}
        self._charged: dict[RecordKey, tuple[Charge, ...]] = {}
        self._charged_before: dict[RecordKey, dict[Line, int]] = {}
        self._ids: dict[str, Any] = {}
        self._differences = rollup.Differences()
        self._fresh: dict[int, dict[str, RatedEvent]] = {}
        self._entries: list[sql.Row] = []
        self._templates: dict[tuple[int, mapping.Words, tuple[Line, ...]], int] = {}
        self._labels: dict[tuple[int, bytes], str] = {}
        self._places: dict[int, list[tuple[int, str]]] = {}
        self._repeated: list[sql.Row] = []

    def receive(self, source_id: int, postings: Sequence[RatedEvent]) -> list[RatedEvent]:
        """Keep the events that are new, each once, and give them back; the current revisions of their records are read.

        InvalidPosting: one of them cannot be kept.
        """
        validation.check_source(source_id)
        for posting in postings:
            validation.check_posting(source_id, posting)
        self._places.setdefault(source_id, []).extend([(p.seq, p.event_id) for p in postings if p.seq is not None])
        fresh = self._unseen(source_id, postings)
        if fresh:
            keys = {  # of the others: a record under its event's own id came with it, unless a row was lost since
                (record.source_id, record.id)
                for posting in fresh
                for record in (posting.record,)
                if not self._trusting or record.id != posting.event_id or record.source_id != source_id
            }
            kind = "spool" if any(posting.seq is not None for posting in fresh) else "import"
            self.register(source_id, {source for source, _ in keys}, kind)
            self.load(keys)
        self._fresh.setdefault(source_id, {}).update({posting.event_id: posting for posting in fresh})
        return fresh

    def register(self, source_id: int, others: Collection[int], kind: str) -> None:
        """Note that a source wrote now, and that rows exist under the `others` (reserved sources of natural keys).

        Every `source_id` in any table has its row in `source`, so that a query can walk the sources and need not scan.
        """
        wanted = {source_id, *others}
        known = sql.known_sources(self.connection, wanted)
        host, now_us = socket.gethostname()[:256], self.now_us
        rows = [
            (each, "natural", None, None, now_us, now_us)
            if each in NATURAL_SOURCES
            else (each, kind, host, None, now_us, now_us)
            for each in wanted - known
        ]
        sql.insert(self.connection, schema.source, rows, sql.OnConflict.IGNORE)
        if source_id in known and source_id not in NATURAL_SOURCES:  # the reserved rows are shared: no lock on them
            sql.note_seen(self.connection, source_id, now_us)

    def load(self, keys: Collection[RecordKey]) -> None:
        """Read the current revisions of these records."""
        by_source: dict[int, list[str]] = {}
        for source_id, record_id in keys:
            by_source.setdefault(source_id, []).append(record_id)
        for source_id, ids in sorted(by_source.items()):
            there = sql.known_ids(self.connection, schema.entry, source_id, ids)
            if not there:
                continue
            table = schema.record
            query = select(table).where(table.c.source_id == source_id, table.c.id.in_(sorted(there)))
            for row in self.connection.execute(query.order_by(table.c.revision)):
                key = (source_id, row.id)
                self._current[key] = mapping.revision(row)
                self._events[key] = (row.event_source_id, row.event_id)

    def current(self, record: Record) -> LedgerRecord | None:
        """What the ledger says by now of the record with this source and id; None if it is not there."""
        return self._current.get((record.source_id, record.id))

    def open(self, source_id: int, posting: RatedEvent) -> None:
        """Write the first revision of a record."""
        new = ledger_record(posting.record, posting.rating, 0)
        self._revise(None, new, posting.rating, Reason.POSTED, (source_id, posting.event_id))

    def complete(self, source_id: int, posting: RatedEvent, record: Record, rating: Rating) -> None:
        """Replace a record by what a fuller answer, that of `posting`, makes of it."""
        validation.check_entry(record, rating)
        old = self._current[record.source_id, record.id]
        new = ledger_record(record, rating, old.revision + 1)
        self._revise(old, new, rating, Reason.FULLER_ANSWER, (source_id, posting.event_id))

    def amend(self, record: Record) -> None:
        """Replace what a record says beside its tokens; its charges and its event stay."""
        key = (record.source_id, record.id)
        old = self._current[key]
        new = replace(old, record=record, revision=old.revision + 1)
        self._revise(old, new, None, Reason.FULLER_ANSWER, self._events[key])

    def evidence(self, record: Record) -> tuple[int, bytes] | None:
        """The event from which the counts of a record were read, and the source that saw it; None if it is missing."""
        source_id, event_id = self._events[record.source_id, record.id]
        if (fresh := self._fresh.get(source_id, {}).get(event_id)) is not None:
            return source_id, fresh.body
        body = event_bodies.read_bodies(self.connection, [(source_id, event_id)]).get((source_id, event_id))
        return None if body is None else (source_id, body)

    def correct(self, record: Record, rating: Rating, reason: Reason, seen: int | None = None) -> bool:
        """Replace what is known of a record; False if it says the same already, or has another revision than `seen`.

        InvalidPosting: it cannot be kept.
        """
        validation.check_entry(record, rating)
        key = (record.source_id, record.id)
        old = self._current.get(key)
        if old is None:
            raise LedgerError(
                f"record {record.id} of source {record.source_id} is not in the ledger, so it cannot be corrected"
            )
        if seen is not None and seen != old.revision:
            return False
        new = ledger_record(record, rating, old.revision)
        if new == old and self._net(key) == _net_of(billed_charges(rating)):
            return False
        self._revise(old, ledger_record(record, rating, old.revision + 1), rating, reason, self._events[key])
        return True

    def _revise(
        self, old: LedgerRecord | None, new: LedgerRecord, rating: Rating | None, reason: Reason, event: EventKey
    ) -> None:
        """Write a revision; without a rating its charges stay those of the one before."""
        record = new.record
        key = (record.source_id, record.id)
        lines, quantities = ((), ()) if rating is None else self._lines(key, old, rating)
        if old is not None:
            self._differences.take(old, mapping.labels_hash(mapping.labels_text(old.record.labels)))
        text = mapping.labels_text(record.labels)
        hashed, figures = mapping.labels_hash(text), mapping.figures(new)
        self._differences.add(new, hashed, figures)
        self._labels[record.source_id, hashed] = text
        template = self._template(record.source_id, mapping.words(new, reason), lines)
        charged = mapping.Charged(self._id(record.id), hashed, figures, quantities)
        self._entries.append(mapping.row(new, template, (event[0], self._id(event[1])), self.now_us, charged))
        self._current[key] = new
        self._events[key] = event

    def _template(self, source_id: int, words: mapping.Words, lines: tuple[Line, ...]) -> int:
        """The number of the template that says this; it is written with the entries."""
        key = (source_id, words, lines)
        number = self._templates.get(key)
        if number is None:
            number = self._templates[key] = mapping.template_number(words, lines)
        return number

    def _lines(
        self, key: RecordKey, old: LedgerRecord | None, rating: Rating
    ) -> tuple[tuple[Line, ...], tuple[int, ...]]:
        """What a revision charges, and how much of each: all of it where it is the first, else what corrects those."""
        charges = billed_charges(rating)
        if old is None:
            self._charged[key] = charges
            return tuple(map(line_of, charges)), tuple([charge.quantity for charge in charges])
        corrected = correction(self._net(key), _net_of(charges))
        self._charged[key] = charges
        return tuple([line for line, _ in corrected]), tuple([quantity for _, quantity in corrected])

    def _net(self, key: RecordKey) -> dict[Line, int]:
        """What the revisions so far charge together."""
        if key in self._charged:
            return _net_of(self._charged[key])
        if key not in self._charged_before:
            c = schema.charge.c
            query = select(c.meter, c.modality, c.unit_pico, c.price_id, c.quantity)
            rows = self.connection.execute(query.where(c.source_id == key[0], c.record_id == key[1]))
            self._charged_before[key] = net_lines(((row[0], row[1], row[2], row[3]), row[4]) for row in rows)
        return self._charged_before[key]

    def _id(self, text: str) -> Any:  # noqa: ANN401
        """The driver's form of an id in a row that is inserted: COPY takes a text."""
        if self._engine == "postgresql":
            return text
        known = self._ids.get(text)
        if known is None:
            known = self._ids[text] = schema.id_bytes(text)
        return known

    def write(self) -> None:
        """Insert everything that was gathered."""
        labels = [(*key, text) for key, text in self._labels.items()]
        templates = [(source_id, number, *words) for (source_id, words, _), number in self._templates.items()]
        lines = [
            (source_id, number, place, *line)
            for (source_id, _, lines), number in self._templates.items()
            for place, line in enumerate(lines)
        ]
        self._write_events()
        sql.insert(self.connection, schema.template, templates, sql.OnConflict.IGNORE)
        sql.insert(self.connection, schema.template_line, lines, sql.OnConflict.IGNORE)
        sql.insert(self.connection, schema.entry, self._entries)
        sql.insert(self.connection, schema.label_set, labels, sql.OnConflict.IGNORE)
        for table, rows in self._differences.rows():
            sql.insert(self.connection, table, rows, sql.OnConflict.ADD)
        sql.insert(self.connection, schema.dead_letter, self._repeated, sql.OnConflict.IGNORE)

    def _write_events(self) -> None:
        for source_id, fresh in self._fresh.items():
            events = [(event_id, posting.seq, posting.body) for event_id, posting in fresh.items()]
            rows, blocks = event_bodies.rows_of(source_id, events, self._id)
            sql.insert(self.connection, schema.event, rows)
            sql.insert(self.connection, schema.event_block, blocks, sql.OnConflict.IGNORE)  # alike by their digest

    def refuse_clones(self, connection: Connection) -> None:
        """SpoolRefused if a place of a spool holds another event in the ledger, or two events here."""
        for source_id, places in self._places.items():
            _refuse_clone(connection, source_id, places)

    def _unseen(self, source_id: int, postings: Sequence[RatedEvent]) -> list[RatedEvent]:
        """The postings whose event is new, each event once."""
        by_id: dict[str, RatedEvent] = {}
        for posting in postings:
            by_id.setdefault(posting.event_id, posting)
        asked = () if self._trusting and all(posting.seq is not None for posting in postings) else by_id
        known = sql.known_ids(self.connection, schema.event, source_id, asked) if asked else ()
        if known:
            self._note_repeated(source_id, [posting for posting in postings if posting.event_id in known])
        return [posting for event_id, posting in by_id.items() if event_id not in known]

    def _note_repeated(self, source_id: int, postings: Sequence[RatedEvent]) -> None:
        """Keep what a spool has at another place than the ledger: a call that was closed again after damage. So its
        place is not empty, and its bytes are not lost; it is not a dead letter, because its event is a record."""
        c = schema.event.c
        query = select(c.id, c.seq).where(c.source_id == source_id, c.id.in_({one.event_id for one in postings}))
        places = {row.id: row.seq for row in self.connection.execute(query)}
        for posting in postings:
            place = places.get(posting.event_id)
            if posting.seq is not None and posting.seq != place:
                reason = "its call is in the ledger already" + (f", at place {place}" if place else "")
                row = (source_id, f"{posting.event_id} {posting.seq}", posting.seq, posting.body, reason, self.now_us)
                self._repeated.append(row)


def _net_of(charges: Iterable[Charge]) -> dict[Line, int]:
    return net_lines((line_of(charge), charge.quantity) for charge in charges)


def _refuse_clone(connection: Connection, source_id: int, places: Iterable[tuple[int, str]]) -> None:
    ids: dict[int, str] = {}
    for seq, event_id in places:
        if ids.setdefault(seq, event_id) != event_id:
            raise SpoolRefused(f"spool {source_id} has two events at place {seq}; it is damaged")
    c = schema.event.c
    query = select(c.seq, c.id).where(c.source_id == source_id, c.seq.in_(sorted(ids))).order_by(c.seq)
    for seq, there in connection.execute(query):
        if ids[seq] != there:
            raise SpoolRefused(
                f"place {seq} of spool {source_id} is event {there} in the ledger and {ids[seq]} in the spool: "
                "the spool was cloned or restored from a backup; `gembill spool renew` gives it a new source_id"
            )
