"""Calls of a period that wait in the spools of this machine, before a month is closed without them.

Owns: which of them count. Not here: reading a spool (`gembill.spool.survey`), and posting. Invariant: nothing is
changed, and whoever has a spool is not disturbed; a call that the ledger has is not waiting, whatever its spool says.
"""

from pathlib import Path
from uuid import UUID

from gembill.errors import SpoolError
from gembill.ledger import Ledger, known_events
from gembill.period import Period
from gembill.spool import kept_spools, read_unposted


def count_unposted(ledger: Ledger, root: Path, period: Period, *, known_only: bool = False) -> int:
    """How many calls of a period the spools below a root have and the ledger has not, those under way with them.

    `known_only`: of the spools that have posted to this ledger. SpoolError where a spool cannot be read.
    """
    with ledger.reading() as snapshot:
        sources = {source_id for (source_id,) in snapshot.rows("SELECT source_id FROM source")}
    try:
        paths = [path for path in kept_spools(root) if not known_only or int(path.name, 16) in sources]
        waiting = {each for path in paths for each in read_unposted(path) if _began_in(each, period)}
    except OSError as error:
        raise SpoolError(f"{error.filename or root} cannot be read: {error.strerror}") from error
    return len(waiting - known_events(ledger, sorted(waiting)))


def _began_in(event_id: str, period: Period) -> bool:
    """Whether a call was received in a period, which its id says to the millisecond (UUIDv7)."""
    began_us = (UUID(event_id).int >> 80) * 1000
    return (period.start_us or 0) <= began_us and (period.end_us is None or began_us < period.end_us)
