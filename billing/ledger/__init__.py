"""The store of records, charges and rollups: the only package that speaks the ledger's SQL.

Owns: the schema and every statement on it, on SQLite and PostgreSQL alike. Owns no price, no budget and no display.
Invariant: append-only; each record is there once for each (source_id, id), and the rollups equal the sum of the
current revisions. `read` has single records, `totals` sums, `audit` the proof.
"""

from billing.ledger.entry import NATURAL_SOURCES, Posted, Posting, Reason, Stored
from billing.ledger.faults import LedgerUnavailable, UnfitPosting
from billing.ledger.schema import MEASURES
from billing.ledger.selection import Selection
from billing.ledger.store import Ledger, open_ledger
from billing.ledger.totals import Total

__all__ = [
    "MEASURES",
    "NATURAL_SOURCES",
    "Ledger",
    "LedgerUnavailable",
    "Posted",
    "Posting",
    "Reason",
    "Selection",
    "Stored",
    "Total",
    "UnfitPosting",
    "open_ledger",
]
