"""Whether the ledger that is posted to is still the one that was posted to before.

Owns: noticing a ledger whose file was removed or replaced, and one that lacks what a spool knows to be posted: a new
one, one restored from a backup, a server that fell back; and counting what it lacks of any spool, whoever posts it.
Not here: filling it again, which is `gembill replay`, and posting. Invariant: what is found is said once in the log,
and known until the ledger has it again; nothing is written.
"""

import logging
import time
from collections.abc import Callable

from gembill.ledger import Ledger, count_gaps, read_places
from gembill.spool import Spool, SpoolReader

_log = logging.getLogger("gembill.posting")

LOOK_S = 2.0  # between two looks at one spool
COUNT_S = 600.0  # between two counts of gaps, which take a second for ten million calls
LACKING = (
    "the ledger lacks calls that were posted: it is new, or was restored from an earlier state; "
    "`gembill replay` fills it again"
)


class LedgerWatch:
    """Looks at a ledger for the spools that are posted to it. `now` gives seconds of a clock that only goes forward.

    `gaps` are the places of all spools that the ledger lacks though it has later ones; None before they were counted.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looked: dict[int, float] = {}
        self._lacking: dict[int, int] = {}  # by source, the place that the ledger lacks
        self._counted: float | None = None
        self.gaps: int | None = None

    @property
    def trouble(self) -> str | None:
        """What is wrong, in words fit to be shown; None where nothing is."""
        return LACKING if self._lacking else None

    def is_due(self, source_id: int) -> bool:
        """Whether it is time to look at a spool."""
        return self._now() - self._looked.get(source_id, -LOOK_S) >= LOOK_S

    def look(self, ledger: Ledger, spool: Spool | SpoolReader) -> bool:
        """See whether the ledger has what of this spool was posted last; whether it was time to count as well.

        LedgerError where it cannot be asked.
        """
        source = spool.source_id
        place = self._lacking.get(source, spool.posted)
        if place > 0 and not read_places(ledger, source, [place]):
            if source not in self._lacking and self._is_kept(spool, place):
                _log.error("%s (place %d of the spool %s)", LACKING, place, spool.path)
                self._lacking[source] = place
        elif self._lacking.pop(source, None) is not None:
            _log.warning("the ledger has again what was posted of the spool %s", spool.path)
        self._looked[source] = self._now()
        if self._counted is not None and self._looked[source] - self._counted < COUNT_S:
            return False
        self.gaps, self._counted = count_gaps(ledger), self._looked[source]
        return True

    def forget(self) -> None:
        """Look at every spool again at once: another ledger was opened."""
        self._looked.clear()
        self._counted = None

    @staticmethod
    def _is_kept(spool: Spool | SpoolReader, place: int) -> bool:
        """Whether there is an event at this place at all: one that was damaged never got to any ledger."""
        return any(entry.seq == place for entry in spool.read(place - 1, 1))
