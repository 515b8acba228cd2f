"""The store of records, charges and rollups: the only package that speaks the ledger's SQL.

Owns: the schema and every statement on it, on SQLite and PostgreSQL alike. Owns no price, no budget and no display.
Invariant: append-only; each record is there once for each (source_id, id), and the rollups equal the sum of the
current revisions. `read` has single records, `totals` sums, `audit` the proof.
"""

from gembill.ledger.entries import NATURAL_SOURCES, LedgerCharge, LedgerRecord, RatedEvent, Reason
from gembill.ledger.errors import InvalidPosting, LedgerUnavailable
from gembill.ledger.schema import MEASURES
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger, open_ledger
from gembill.ledger.totals import Total

__all__ = [
    "MEASURES",
    "NATURAL_SOURCES",
    "InvalidPosting",
    "Ledger",
    "LedgerCharge",
    "LedgerRecord",
    "LedgerUnavailable",
    "RatedEvent",
    "Reason",
    "Selection",
    "Total",
    "open_ledger",
]
