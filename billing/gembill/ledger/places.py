"""Which event the ledger has at which place of a spool.

Owns: that question, and which places nothing is at. Not here: who is refused by it (`transaction`), and the words
about gaps (`audit`). Invariant: a place that holds a dead letter is taken as well.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Subquery, func, select, union

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.store import Ledger
from gembill.spool.segments import JUMP, count_missing

_BATCH = 500


def read_places(ledger: Ledger, source_id: int, places: Sequence[int]) -> dict[int, str]:
    """The ids of the events at those of these places that are taken. LedgerError where the ledger cannot be asked."""
    taken: dict[int, str] = {}
    with translated("look for places of a spool"), snapshot(ledger.engine) as connection:
        for start in range(0, len(places), _BATCH):
            some = places[start : start + _BATCH]
            for table in (schema.dead_letter, schema.event):
                query = select(table.c.seq, table.c.id).where(table.c.source_id == source_id, table.c.seq.in_(some))
                taken.update((seq, event_id) for seq, event_id in connection.execute(query))
    return taken


def count_gaps(ledger: Ledger, source_id: int | None = None) -> int:
    """How many places of a spool, or of all spools, nothing is at, though there is something at a later one.

    Those that a spool jumped over after damage at its end were given to nothing. LedgerError as above.
    """
    with translated("count the places of a spool"), snapshot(ledger.engine) as connection:
        return sum(count_empty(connection, *one) for one in read_filled(connection, source_id))


def read_holes(connection: Connection, source_id: int) -> Iterator[tuple[int, int]]:
    """The places of a spool that were given and are empty, before one that is taken: first and last of each stretch."""
    places = _places(source_id)
    before = func.lag(places.c.seq, 1, 0).over(order_by=places.c.seq).label("before")
    pairs = select(before, places.c.seq).subquery()
    query = select(pairs.c.before, pairs.c.seq).where(pairs.c.seq > pairs.c.before + 1).order_by(pairs.c.seq)
    for last, seq in connection.execute(query):
        if missing := count_missing(last + 1, seq):
            yield seq - missing, seq - 1


def count_empty(connection: Connection, source_id: int, last: int, filled: int) -> int:
    """How many places of a spool are empty, by what `read_filled` gives of it."""
    if (last - filled) % JUMP == 0:  # by far the quicker question, and nearly always the answer
        return 0
    return sum(end - first + 1 for first, end in read_holes(connection, source_id))


def read_filled(connection: Connection, source_id: int | None = None) -> list[tuple[int, int, int]]:
    """Of each spool, or of one: its number, its last place, and how many are taken."""
    e, d = schema.event.c, schema.dead_letter.c
    there = select(e.seq).where(e.source_id == d.source_id, e.seq == d.seq).correlate(schema.dead_letter).exists()
    queries = (
        select(e.source_id, func.max(e.seq), func.count(e.seq)).group_by(e.source_id),
        select(d.source_id, func.max(d.seq), func.count(d.seq.distinct())).where(~there).group_by(d.source_id),
    )
    filled: dict[int, tuple[int, int]] = {}
    for query, column in zip(queries, (e.source_id, d.source_id), strict=True):
        chosen = query if source_id is None else query.where(column == source_id)
        for source, last, count in connection.execute(chosen):
            known = filled.get(source, (0, 0))
            filled[source] = max(known[0], last or 0), known[1] + count
    return [(source, last, count) for source, (last, count) in sorted(filled.items())]


def _places(source_id: int) -> Subquery:
    e, d = schema.event.c, schema.dead_letter.c
    return union(
        select(e.seq).where(e.source_id == source_id, e.seq.is_not(None)),
        select(d.seq).where(d.source_id == source_id, d.seq.is_not(None)),
    ).subquery()
