"""Who wrote to the ledger.

Owns: the rows of `source`. Owns no spool. Invariant: every `source_id` in any table has its row here, so that a query
can walk the sources instead of scanning a table.
"""

import socket
from collections.abc import Collection

from sqlalchemy import Connection, select, update

from gembill.ledger import sql
from gembill.ledger.entries import NATURAL_SOURCES
from gembill.ledger.schema import source

DEMO = "demo"


def holds_demo_data(connection: Connection) -> bool:
    """Whether a source of made-up calls ever wrote here."""
    return connection.scalar(select(source.c.source_id).where(source.c.kind == DEMO).limit(1)) is not None


def register(connection: Connection, source_id: int, others: Collection[int], kind: str, now_us: int) -> None:
    """Note that a source wrote now, and that rows exist under the `others` (reserved sources of natural keys)."""
    wanted = {source_id, *others}
    known = set(connection.scalars(select(source.c.source_id).where(source.c.source_id.in_(sorted(wanted)))))
    host = socket.gethostname()[:256]
    rows = [
        (each, "natural", None, None, now_us, now_us)
        if each in NATURAL_SOURCES
        else (each, kind, host, None, now_us, now_us)
        for each in wanted - known
    ]
    sql.insert(connection, source, rows, sql.OnConflict.IGNORE)
    if source_id in known and source_id not in NATURAL_SOURCES:  # the reserved rows are shared: no lock on them
        connection.execute(update(source).where(source.c.source_id == source_id).values(last_seen_us=now_us))
