"""From when to when a ledger has calls.

Owns: that query. Owns no calendar. Invariant: both ends are those of current records, or there is none.
"""

from sqlalchemy import func, select

from gembill.ledger import schema
from gembill.ledger.engine import snapshot
from gembill.ledger.store import Ledger


def extent(ledger: Ledger) -> tuple[int, int] | None:
    """When the first and the last recorded call were received (microseconds UTC); None without any."""
    at = schema.record.c.occurred_us
    with snapshot(ledger.engine) as connection:  # one at a time: each is then one step in the index
        first = connection.scalar(select(func.min(at)))
        last = connection.scalar(select(func.max(at)))
    return None if first is None or last is None else (int(first), int(last))
