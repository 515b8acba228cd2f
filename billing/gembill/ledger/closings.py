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


def read_closings(ledger: Ledger) -> list[Closing]:
    """The closed months, the oldest first."""
    with translated("read its closed months"), ledger.reading() as snapshot:
        rows = snapshot.rows(f"SELECT {_COLUMNS} FROM closed_month ORDER BY start_us, timezone")  # noqa: S608
    return [closing_of(row) for row in rows]


def closing_of(row: Any) -> Closing:  # noqa: ANN401
    """A row of `closed_month`."""
    return Closing(**dict(zip(_COLUMNS.split(", "), row, strict=True)))
