"""Whether the ledger that is posted to is still the one that was posted to before.

Owns: noticing a ledger whose file was removed or replaced, and one that lacks what a spool knows to be posted: a new
one, one restored from a backup, a server that fell back; and counting the gaps in what it has. Not here: filling it
again, which is `gembill replay`, and posting. Invariant: what is found is said once in the log, and known until the
ledger has it again; nothing is written.
"""

import logging
import time
from collections.abc import Callable

from gembill.ledger import Ledger, count_gaps, read_places
from gembill.spool import Spool, SpoolReader

_log = logging.getLogger("gembill.posting")

LOOK_S = 2.0  # between two looks at one spool
COUNT_S = 600.0  # between two counts of its gaps, which take a second for ten million calls
LACKING = (
    "the ledger lacks calls that were posted: it is new, or was restored from an earlier state; "
    "`gembill replay` fills it again"
)


class LedgerWatch:
    """Looks at a ledger for the spools that are posted to it. `now` gives seconds of a clock that only goes forward."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looked: dict[int, float] = {}
        self._lacking: dict[int, int] = {}  # by source, the place that the ledger lacks
        self._counted: dict[int, float] = {}
        self._gaps: dict[int, int] = {}

    @property
    def trouble(self) -> str | None:
        """What is wrong, in words fit to be shown; None where nothing is."""
        return LACKING if self._lacking else None

    @property
    def gaps(self) -> int | None:
        """Places of the spools that the ledger lacks though it has later ones; None before they were counted."""
        return sum(self._gaps.values()) if self._gaps else None

    def is_due(self, source_id: int) -> bool:
        """Whether it is time to look at a spool."""
        return self._now() - self._looked.get(source_id, -LOOK_S) >= LOOK_S

    def look(self, ledger: Ledger, spool: Spool | SpoolReader) -> None:
        """See whether the ledger has what of this spool was posted last. LedgerError where it cannot be asked."""
        source = spool.source_id
        place = self._lacking.get(source, spool.posted)
        if place > 0 and not read_places(ledger, source, [place]):
            if source not in self._lacking and self._is_kept(spool, place):
                _log.error("%s (place %d of the spool %s)", LACKING, place, spool.path)
                self._lacking[source] = place
        elif self._lacking.pop(source, None) is not None:
            _log.warning("the ledger has again what was posted of the spool %s", spool.path)
        self._looked[source] = self._now()
        if self._looked[source] - self._counted.get(source, -COUNT_S) >= COUNT_S:
            self._gaps[source] = count_gaps(ledger, source)
            self._counted[source] = self._looked[source]

    def forget(self) -> None:
        """Look at every spool again at once: another ledger was opened."""
        self._looked.clear()
        self._counted.clear()

    @staticmethod
    def _is_kept(spool: Spool | SpoolReader, place: int) -> bool:
        """Whether there is an event at this place at all: one that was damaged never got to any ledger."""
        return any(entry.seq == place for entry in spool.read(place - 1, 1))
