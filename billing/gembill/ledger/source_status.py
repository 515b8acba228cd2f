"""The sources of a ledger: who they are, when they were heard of, and which of their events never came.

Owns: what is read of sources as a whole. Not here: spools, and what is done about a gap (`audit`, `replay`). Invariant:
events of a source are numbered from 1 without a gap, so what is missing is the difference to the highest number;
sources of natural keys have no numbers and are left out.
"""

from dataclasses import dataclass

from sqlalchemy import func, select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
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
    s, e, d = schema.source.c, schema.event.c, schema.dead_letter.c
    came = select(e.source_id, func.count(e.seq), func.max(e.seq)).group_by(e.source_id)
    also = select(e.seq).where(e.source_id == d.source_id, e.seq == d.seq).correlate(schema.dead_letter).exists()
    buried = select(d.source_id, func.count(d.seq.distinct()), func.max(d.seq)).where(~also).group_by(d.source_id)
    with translated("count its events"), snapshot(ledger.engine) as connection:
        sources = connection.execute(
            select(schema.source).where(s.source_id >= 0).order_by(s.last_seen_us.desc())
        ).all()
        numbers = {one[0]: (one[1], one[2] or 0) for one in connection.execute(came)}
        letters = {one[0]: (one[1], one[2] or 0) for one in connection.execute(buried)}
    made = []
    for row in sources:
        (count, last), (more, highest) = (known.get(row.source_id, (0, 0)) for known in (numbers, letters))
        made.append(
            SourceStatus(
                source_id=row.source_id,
                kind=row.kind,
                host=row.host,
                first_seen_us=row.first_seen_us,
                last_seen_us=row.last_seen_us,
                events=count + more,
                missing=max(last, highest) - count - more,
            )
        )
    return made
