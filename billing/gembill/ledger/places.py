"""Which event the ledger has at which place of a spool.

Owns: that question. Not here: who is refused by it (`transaction`), and gaps (`audit`). Invariant: a place that holds a
dead letter is taken as well.
"""

from collections.abc import Sequence

from sqlalchemy import select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.errors import translated
from gembill.ledger.store import Ledger

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
