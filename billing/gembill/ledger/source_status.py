"""The sources of a ledger: who they are, when they were heard of, and which of their events never came.

Owns: what is read of sources as a whole. Not here: spools, which places are empty (`places`), and what is done about a
gap (`audit`, `replay`). Invariant: sources of natural keys have no numbers and are left out.
"""

from dataclasses import dataclass

from sqlalchemy import select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.places import count_empty, read_filled
from gembill.ledger.store import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One source. `events` are those that came, dead letters included; `missing` are those that did not."""

    source_id: int
    kind: str
    host: str | None
    first_seen_us: int
    last_seen_us: int
    events: int
    missing: int


def read_source_statuses(ledger: Ledger) -> list[SourceStatus]:
    """Every source but those of natural keys, the one heard of last first. LedgerError if it cannot be asked."""
    s = schema.source.c
    with translated("count its events"), snapshot(ledger.engine) as connection:
        sources = connection.execute(
            select(schema.source).where(s.source_id >= 0).order_by(s.last_seen_us.desc())
        ).all()
        filled = read_filled(connection)
        events = {source: count for source, _, count in filled}
        missing = {each[0]: count_empty(connection, *each) for each in filled}
    return [
        SourceStatus(
            source_id=row.source_id,
            kind=row.kind,
            host=row.host,
            first_seen_us=row.first_seen_us,
            last_seen_us=row.last_seen_us,
            events=events.get(row.source_id, 0),
            missing=missing.get(row.source_id, 0),
        )
        for row in sources
    ]
