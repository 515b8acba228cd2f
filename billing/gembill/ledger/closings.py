"""Months that were closed, as they are read.

Owns: what is kept of a closed month, and reading it. Not here: closing one and the proof that the books still say so
(`month_close`), adjustments and statements, which are reports. Invariant: a closed month is never changed or closed
again. What is posted later about its calls is told apart by when it was posted (`seen_us`), so that the sums of that
moment can be worked out at any time.
"""

import json
from dataclasses import dataclass
from typing import Any

from gembill.ledger.errors import translated
from gembill.ledger.measures import MEASURES
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.ledger.totals import read_totals
from gembill.period import Period, zone

SUMMED = (*MEASURES, "calls_code_execution", "incomplete_calls")
"""The measures that are kept of a closed month."""

_COLUMNS = "month, timezone, start_us, end_us, closed_us, seen_us, digest, document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A month as it was closed. `document` is the JSON text that `digest` (SHA-256, hex) is of."""

    month: str
    timezone: str
    start_us: int
    end_us: int
    closed_us: int
    seen_us: int
    digest: str
    document: str

    @property
    def period(self) -> Period:
        """The month in its calendar."""
        return Period(self.start_us, self.end_us, zone(self.timezone))

    @property
    def selection(self) -> Selection:
        """All its calls, as they were when it was closed."""
        return Selection(start_us=self.start_us, end_us=self.end_us, seen_us=self.seen_us)

    @property
    def sums(self) -> dict[str, int]:
        """The measures of all its calls."""
        rows = json.loads(self.document)["rows"]
        return {name: sum(row[name] for row in rows) for name in SUMMED}

    @property
    def entries(self) -> int | None:
        """How many revisions of its calls there were; None where the document is of before that was kept."""
        number: int | None = json.loads(self.document).get("entries")
        return number


def read_closings(ledger: Ledger) -> list[Closing]:
    """The closed months, the oldest first."""
    with translated("read its closed months"), ledger.reading() as snapshot:
        rows = snapshot.rows(f"SELECT {_COLUMNS} FROM closed_month ORDER BY start_us, timezone")  # noqa: S608
    return [closing_of(row) for row in rows]


def was_touched(ledger: Ledger, closing: Closing) -> bool:
    """Whether anything was posted about its calls since it was closed, also where no sum of all of them shows it.

    A call that comes, or is corrected within the month, is one more revision there; one whose time was corrected to
    another month is none, but leaves fewer calls.
    """
    from gembill.ledger.entry_counts import count_entries  # most reports are of ledgers without closed months

    (today,) = read_totals(ledger, Selection(start_us=closing.start_us, end_us=closing.end_us))
    if today.calls != closing.sums["calls"]:
        return True
    with translated("look for corrections"), ledger.reading() as snapshot:
        if closing.entries is not None:
            return count_entries(snapshot, closing.start_us, closing.end_us) != closing.entries
        later = "SELECT 1 FROM entry WHERE occurred_us >= ? AND occurred_us < ? AND posted_us > ? LIMIT 1"
        return bool(snapshot.rows(later, (closing.start_us, closing.end_us, closing.seen_us)))


def closing_of(row: Any) -> Closing:  # noqa: ANN401
    """A row of `closed_month`."""
    return Closing(**dict(zip(_COLUMNS.split(", "), row, strict=True)))
