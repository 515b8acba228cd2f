"""Single records of a ledger, as reports and receipts show them.

Owns: the queries that give current revisions, their charges and their events. Owns no sum (`totals`).
Invariant: records come newest first (`occurred_at`, then `id`) in pages of their own short transactions, so that a long
export holds back neither writers nor the trimming of SQLite's WAL (reliability.md 2, R9).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal, select, tuple_

from gembill.ledger import mapping, schema, sources
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerCharge, LedgerRecord
from gembill.ledger.selection import Selection, conditions, labelled
from gembill.ledger.store import Ledger
from gembill.model import Charge, Meter, Modality, Operation, Record

PAGE = 1000
_UUID_CHARS = 36
_Place = tuple[int, str, int]  # occurred_us, id, source_id


def is_current() -> ColumnElement[bool]:
    """That a row of `record` is the highest revision of its record."""
    other = schema.record.alias("newer")
    mine = schema.record.c
    newer = (other.c.source_id == mine.source_id, other.c.id == mine.id, other.c.revision > mine.revision)
    return ~exists(select(1).select_from(other).where(*newer).correlate(schema.record))


def holds_demo_data(ledger: Ledger) -> bool:
    """Whether the ledger was filled by `gembill demo`, which whatever is shown of it has to say."""
    with ledger.engine.connect() as connection:
        return sources.holds_demo_data(connection)


def records(ledger: Ledger, selection: Selection, *, limit: int | None = None) -> Iterator[LedgerRecord]:
    """The current revisions that match, newest first. What is written meanwhile may or may not appear."""
    after: _Place | None = None
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        with snapshot(ledger.engine) as connection:
            page = _page(connection, selection, after, size)
        yield from page
        if len(page) < size:
            return
        last = page[-1].record
        after = (last.occurred_us, last.id, last.source_id)
        left = None if left is None else left - size


def record(ledger: Ledger, record_id: str) -> LedgerRecord | None:
    """The current revision of the record with this id, whatever its source; None if there is none."""
    if len(record_id) != _UUID_CHARS:
        return None
    c = schema.record.c
    try:
        schema.driver_id(ledger.engine.dialect.name, record_id)
    except ValueError:
        return None
    anywhere = c.source_id.in_(select(schema.source.c.source_id))
    query = select(schema.record).where(anywhere, c.id == record_id).order_by(c.source_id, c.revision.desc()).limit(1)
    with snapshot(ledger.engine) as connection:
        return next(iter(shown(connection, query)), None)


def charges(ledger: Ledger, stored: LedgerRecord) -> list[LedgerCharge]:
    """All charges of all revisions of a record, in the order in which they were written."""
    c = schema.charge.c
    query = (
        select(schema.charge)
        .where(c.source_id == stored.record.source_id, c.record_id == stored.record.id)
        .order_by(c.revision, c.line)
    )
    with snapshot(ledger.engine) as connection:
        return [
            LedgerCharge(revision=row.revision, line=row.line, charge=charge(row)) for row in connection.execute(query)
        ]


def chains(ledger: Ledger, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The conversations of the records with these sources and ids, as far as the ledger has them."""
    c = schema.record.c
    found: dict[tuple[int, str], str] = {}
    with snapshot(ledger.engine) as connection:
        for source_id in sorted({source_id for source_id, _ in keys}):
            ids = sorted(record_id for source, record_id in keys if source == source_id)
            query = select(c.id, c.conversation).where(c.source_id == source_id, c.id.in_(ids)).order_by(c.revision)
            rows = connection.execute(query)
            found |= {(source_id, row.id): row.conversation for row in rows if row.conversation is not None}
    return found


def event_body(ledger: Ledger, stored: LedgerRecord) -> bytes | None:
    """The event behind this revision of a record as JSON, None if it is not in the ledger."""
    r, e = schema.record.c, schema.event.c
    query = (
        select(e.body)
        .join_from(schema.record, schema.event, (e.source_id == r.event_source_id) & (e.id == r.event_id))
        .where(r.source_id == stored.record.source_id, r.id == stored.record.id, r.revision == stored.revision)
    )
    with snapshot(ledger.engine) as connection:
        body = connection.scalar(query)
        return None if body is None else bytes(body)


def charge(row: Any) -> Charge:  # noqa: ANN401
    """A row of `charge`."""
    return Charge(
        meter=Meter(row.meter),
        modality=Modality(row.modality),
        quantity=row.quantity,
        unit_pico=row.unit_pico,
        price_id=row.price_id,
    )


def _page(connection: Connection, selection: Selection, after: _Place | None, size: int) -> list[LedgerRecord]:
    c = schema.record.c
    engine = connection.dialect.name
    query = select(schema.record).where(is_current(), *conditions(selection, schema.record, engine))
    query = query.where(*labelled(selection.labels, c.labels, engine))
    if selection.start_us is not None:
        query = query.where(c.occurred_us >= selection.start_us)
    if selection.end_us is not None:
        query = query.where(c.occurred_us < selection.end_us)
    if after is not None:
        place = tuple_(literal(after[0]), literal(after[1], schema.ID), literal(after[2]))
        query = query.where(tuple_(c.occurred_us, c.id, c.source_id) < place)
    return shown(connection, query.order_by(c.occurred_us.desc(), c.id.desc(), c.source_id.desc()).limit(size))


def shown(connection: Connection, query: Select[Any]) -> list[LedgerRecord]:
    """The revisions that a query over all columns of `record` finds, with what may be shown of their conversations."""
    found = [mapping.revision(row) for row in connection.execute(query)]
    shared = _shared(connection, [stored.record for stored in found])
    return [replace(stored, conversation_id=_conversation(stored.record, shared)) for stored in found]


def _conversation(record: Record, shared: set[str]) -> str | None:
    """A conversation says something only when there is more than one turn to tie together."""
    return record.conversation if _goes_on(record) or record.conversation in shared else None


def _goes_on(record: Record) -> bool:
    """Whether there were turns before: contents of a chat, or another interaction that names the conversation."""
    if record.operation is Operation.INTERACTIONS:
        return record.conversation != record.response_id
    return (record.turns or 0) > 1


def _shared(connection: Connection, found: Sequence[Record]) -> set[str]:
    """The conversations of these records that other records are part of, too."""
    single = {r.conversation for r in found if r.conversation and not _goes_on(r)}
    if not single:
        return set()
    c = schema.record.c
    distinct = func.count(c.id.distinct())
    query = (
        select(c.conversation).where(c.conversation.in_(sorted(single))).group_by(c.conversation).having(distinct > 1)
    )
    return set(connection.scalars(query))
