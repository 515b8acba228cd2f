"""The reading side of the ledger in one place.

Owns: nothing but the list of what may be read. `lookup` has single records, `totals` sums.
Invariant: nothing here writes.
"""

from gembill.ledger.entries import LedgerCharge, LedgerRecord
from gembill.ledger.records import chains, charges, event_body, record, records
from gembill.ledger.selection import Selection
from gembill.ledger.totals import Total, totals

__all__ = [
    "LedgerCharge",
    "LedgerRecord",
    "Selection",
    "Total",
    "chains",
    "charges",
    "event_body",
    "record",
    "records",
    "totals",
]
