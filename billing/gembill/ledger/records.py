"""Single records of a ledger, as reports and receipts show them, and what all of them together span.

Owns: the queries that give current revisions, their events and their time range. Not here: sums (`totals`), charges
(`charges`) and the labels there are (`labels`). Invariant: records come newest first (`occurred_at`, then `id`) in
pages of their own short transactions, so that a long export holds back neither writers nor the trimming of SQLite's WAL
(reliability.md 2, R9).
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, func, literal, select, tuple_

from gembill.ledger import mapping, schema
from gembill.ledger.conversations import shown_conversations
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerRecord
from gembill.ledger.event_bodies import read_bodies
from gembill.ledger.record_selection import selected
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger

PAGE = 1000
_UUID_CHARS = 36
_Place = tuple[int, str, int]  # occurred_us, id, source_id


def read_records(ledger: Ledger, selection: Selection, *, limit: int | None = None) -> Iterator[LedgerRecord]:
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


def read_record(ledger: Ledger, record_id: str) -> LedgerRecord | None:
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


def read_event_body(ledger: Ledger, stored: LedgerRecord) -> bytes | None:
    """The event behind this revision of a record as JSON, None if it is not in the ledger."""
    c, record = schema.record.c, stored.record
    query = select(c.event_source_id, c.event_id).where(c.source_id == record.source_id, c.id == record.id)
    with snapshot(ledger.engine) as connection:
        keys = [(row[0], row[1]) for row in connection.execute(query.where(c.revision == stored.revision))]
        return next(iter(read_bodies(connection, keys).values()), None)


def read_time_range(ledger: Ledger) -> tuple[int, int] | None:
    """When the first and the last recorded call were received (microseconds UTC); None without any."""
    at = schema.record.c.occurred_us
    with snapshot(ledger.engine) as connection:  # one at a time: each is then one step in the index
        first = connection.scalar(select(func.min(at)))
        last = connection.scalar(select(func.max(at)))
    return None if first is None or last is None else (int(first), int(last))


def shown(connection: Connection, query: Select[Any]) -> list[LedgerRecord]:
    """The revisions that a query over all columns of `record` gives, with what may be shown of their conversations."""
    rows = [mapping.revision(row) for row in connection.execute(query)]
    ids = shown_conversations(connection, [stored.record for stored in rows])
    return [replace(stored, conversation_id=conversation) for stored, conversation in zip(rows, ids, strict=True)]


def _page(connection: Connection, selection: Selection, after: _Place | None, size: int) -> list[LedgerRecord]:
    c = schema.record.c
    query = select(schema.record).where(*selected(selection, connection.dialect.name))
    if after is not None:
        place = tuple_(literal(after[0]), literal(after[1], schema.ID), literal(after[2]))
        query = query.where(tuple_(c.occurred_us, c.id, c.source_id) < place)
    return shown(connection, query.order_by(c.occurred_us.desc(), c.id.desc(), c.source_id.desc()).limit(size))
