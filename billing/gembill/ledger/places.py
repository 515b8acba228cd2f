"""Which event the ledger has at which place of a spool.

Owns: that question, and how many places nothing is at. Not here: who is refused by it (`transaction`), and the words
about gaps (`audit`). Invariant: a place that holds a dead letter is taken as well.
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.store import Ledger
from gembill.spool.segments import JUMP

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


def count_gaps(ledger: Ledger, source_id: int) -> int:
    """How many places of a spool nothing is at, though there is something at a later one. LedgerError as above.

    Those that a spool jumped over after damage at its end were given to nothing.
    """
    e, d = schema.event.c, schema.dead_letter.c
    there = select(e.seq).where(e.source_id == d.source_id, e.seq == d.seq).correlate(schema.dead_letter).exists()
    queries = (
        select(func.count(e.seq), func.max(e.seq)).where(e.source_id == source_id),
        select(func.count(d.seq.distinct()), func.max(d.seq)).where(d.source_id == source_id, ~there),
    )
    with translated("count the places of a spool"), snapshot(ledger.engine) as connection:
        counts = [connection.execute(query).one() for query in queries]
    last, taken = max(last or 0 for _, last in counts), sum(count for count, _ in counts)
    return int(last - taken) % JUMP
