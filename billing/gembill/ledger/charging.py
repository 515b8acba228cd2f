"""The charges of many calls at once, for exports.

Owns: that query. Owns no sum of charges (`gembill_reports.analysis.receipt`). Invariant: for each call what
`lookup.charges` gives, in one statement for all of them.
"""

from collections.abc import Sequence

from sqlalchemy import select

from gembill.ledger import records, schema
from gembill.ledger.engine import snapshot
from gembill.ledger.entries import LedgerCharge, LedgerRecord
from gembill.ledger.store import Ledger

Key = tuple[int, str]


def charges_of(ledger: Ledger, found: Sequence[LedgerRecord]) -> dict[Key, list[LedgerCharge]]:
    """All charges of all revisions of these calls, by (source, id), in the order in which they were written."""
    c = schema.charge.c
    posted: dict[Key, list[LedgerCharge]] = {(one.record.source_id, one.record.id): [] for one in found}
    with snapshot(ledger.engine) as connection:
        for source_id in sorted({source_id for source_id, _ in posted}):
            ids = sorted(record_id for source, record_id in posted if source == source_id)
            query = select(schema.charge).where(c.source_id == source_id, c.record_id.in_(ids))
            for row in connection.execute(query.order_by(c.record_id, c.revision, c.line)):
                one = LedgerCharge(revision=row.revision, line=row.line, charge=records.charge(row))
                posted[source_id, row.record_id].append(one)
    return posted
