"""What records were made of: their raw events, what they were charged, and the events that never became records.

Owns: the queries that give these in batches. Not here: the reading of an event, and corrections.
Invariant: memory is bounded by a batch; each batch is read in one short transaction of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection, select, tuple_

from gembill.ledger import event_bodies, schema
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerRecord, Line, net_lines
from gembill.ledger.records import read_records
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger

BATCH = 500
_Key = tuple[int, str]  # source_id and id of a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The current revision of a record, the event it was read from (None if that is missing), and its net charges."""

    stored: LedgerRecord
    event_source_id: int
    body: bytes | None
    lines: dict[Line, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that could not become a record."""

    source_id: int
    id: str
    seq: int | None
    body: bytes
    reason: str


def read_evidence(ledger: Ledger, selection: Selection) -> Iterator[list[Evidence]]:
    """The records selected, newest first, in batches. What is written meanwhile may or may not appear."""
    records = read_records(ledger, selection)
    while batch := list(islice(records, BATCH)):
        with snapshot(ledger.engine) as connection:
            bodies, lines = _bodies(connection, batch), _lines(connection, batch)
        yield [
            Evidence(stored=one, event_source_id=source, body=body, lines=lines.get(_key(one), {}))
            for one in batch
            for source, body in [bodies.get(_key(one), (one.record.source_id, None))]
        ]


def read_bodies(ledger: Ledger, calls: Sequence[LedgerRecord]) -> dict[_Key, list[bytes]]:
    """The events from which the revisions of these calls were read, each once, by (source, id), the first one first."""
    r = schema.record.c
    events: dict[_Key, dict[_Key, None]] = {_key(one): {} for one in calls}
    with snapshot(ledger.engine) as connection:
        for source_id, ids in _by_source(calls).items():
            query = select(r.id, r.event_source_id, r.event_id).where(r.source_id == source_id, r.id.in_(ids))
            for record_id, event_source, event_id in connection.execute(query.order_by(r.id, r.revision)):
                events[source_id, record_id].setdefault((event_source, event_id))
        bodies = event_bodies.read_bodies(connection, {event for own in events.values() for event in own})
    return {key: [bodies[event] for event in own if event in bodies] for key, own in events.items()}


def known_events(ledger: Ledger, ids: Sequence[str]) -> set[str]:
    """Those of these ids of events that the ledger has, whatever their source."""
    c = schema.event.c
    anywhere = c.source_id.in_(select(schema.source.c.source_id))
    known: set[str] = set()
    with snapshot(ledger.engine) as connection:
        for start in range(0, len(ids), BATCH):
            known.update(connection.scalars(select(c.id).where(anywhere, c.id.in_(ids[start : start + BATCH]))))
    return known


def read_dead_letters(ledger: Ledger) -> Iterator[list[DeadLetter]]:
    """The events among the dead letters that have not become records since, in batches."""
    c = schema.dead_letter.c
    after: _Key | None = None
    while True:
        query = select(schema.dead_letter).order_by(c.source_id, c.id).limit(BATCH)
        if after is not None:
            query = query.where(tuple_(c.source_id, c.id) > after)
        with snapshot(ledger.engine) as connection:
            rows = connection.execute(query).all()
            posted = _posted(connection, [(row.source_id, row.id) for row in rows])
        if not rows:
            return
        after = (rows[-1].source_id, rows[-1].id)
        yield [
            DeadLetter(source_id=row.source_id, id=row.id, seq=row.seq, body=bytes(row.body), reason=row.reason)
            for row in rows
            if (row.source_id, row.id) not in posted
        ]


def _key(stored: LedgerRecord) -> _Key:
    return (stored.record.source_id, stored.record.id)


def _by_source(batch: Sequence[LedgerRecord]) -> dict[int, list[str]]:
    ids: dict[int, list[str]] = {}
    for one in batch:
        ids.setdefault(one.record.source_id, []).append(one.record.id)
    return ids


def _bodies(connection: Connection, batch: Sequence[LedgerRecord]) -> dict[_Key, tuple[int, bytes]]:
    """The event of each record's revision, with the source it was recorded by."""
    r = schema.record.c
    revisions = {_key(one): one.revision for one in batch}
    events: dict[_Key, _Key] = {}
    for source_id, ids in _by_source(batch).items():
        query = select(r.id, r.revision, r.event_source_id, r.event_id)
        for record_id, revision, *event in connection.execute(query.where(r.source_id == source_id, r.id.in_(ids))):
            if revisions[source_id, record_id] == revision:
                events[source_id, record_id] = (event[0], event[1])
    bodies = event_bodies.read_bodies(connection, set(events.values()))
    return {key: (event[0], bodies[event]) for key, event in events.items() if event in bodies}


def _lines(connection: Connection, batch: Sequence[LedgerRecord]) -> dict[_Key, dict[Line, int]]:
    c = schema.charge.c
    charged: dict[_Key, list[tuple[Line, int]]] = {}
    for source_id, ids in _by_source(batch).items():
        query = select(c.record_id, c.meter, c.modality, c.unit_pico, c.price_id, c.quantity)
        for record_id, *line, quantity in connection.execute(
            query.where(c.source_id == source_id, c.record_id.in_(ids))
        ):
            meter, modality, unit_pico, price_id = line
            charged.setdefault((source_id, record_id), []).append(((meter, modality, unit_pico, price_id), quantity))
    return {key: net_lines(lines) for key, lines in charged.items()}


def _posted(connection: Connection, letters: Sequence[_Key]) -> set[_Key]:
    """Those of the letters whose event is in the ledger by now. An id that is not a UUID never got there.

    What a spool had at a second place is kept under its id and that place (`transaction`).
    """
    c = schema.event.c
    ids: dict[int, dict[str, list[str]]] = {}
    for source_id, letter_id in letters:
        try:
            event_id = str(UUID(letter_id.partition(" ")[0]))
        except ValueError:
            continue
        ids.setdefault(source_id, {}).setdefault(event_id, []).append(letter_id)
    posted: set[_Key] = set()
    for source_id, those in ids.items():
        known = connection.scalars(select(c.id).where(c.source_id == source_id, c.id.in_(those)))
        posted.update((source_id, one) for event_id in known for one in those[event_id])
    return posted
