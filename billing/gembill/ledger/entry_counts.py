"""How many entries a time has, and what tells whether anything was posted about its calls.

Owns: both numbers. Not here: who keeps them beside sums (`usage_days`, `month_close`). Invariant: entries are only ever
added, and whatever changes a sum over the calls of a time changes the number of its changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gembill.period import HOUR_US

if TYPE_CHECKING:
    from gembill.ledger.reading import Snapshot

_CALLS = (
    "SELECT coalesce(sum(calls), 0) FROM rollup_narrow "
    "WHERE source_id IN (SELECT source_id FROM source) AND hour_utc >= ? AND hour_utc < ?"
)


def count_entries(snapshot: Snapshot, start_us: int, end_us: int) -> int:
    """How many entries a time has, of all revisions."""
    counted = "SELECT count(*) FROM entry WHERE occurred_us >= ? AND occurred_us < ?"
    return int(snapshot.rows(counted, (start_us, end_us))[0][0])


def count_changes(snapshot: Snapshot, start_us: int, end_us: int, entries: int) -> int:
    """A number that grows with whatever is posted about the calls of whole hours that have so many entries.

    Of entries alone a call would not be missed whose time was corrected to another day: its new revision is there. So
    the entries that do not count any more are counted once more. Where nothing was corrected it is that of the entries.
    """
    ((calls,),) = snapshot.rows(_CALLS, (start_us // HOUR_US, end_us // HOUR_US))
    return 2 * entries - int(calls)
