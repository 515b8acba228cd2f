"""The reading side of the ledger in one place.

Owns: nothing but the list of what may be read. `lookup` has single records, `totals` sums.
Invariant: nothing here writes.
"""

from billing.ledger.entry import Posted, Stored
from billing.ledger.lookup import chains, charges, event_body, record, records
from billing.ledger.selection import Selection
from billing.ledger.totals import Total, totals

__all__ = ["Posted", "Selection", "Stored", "Total", "chains", "charges", "event_body", "record", "records", "totals"]
