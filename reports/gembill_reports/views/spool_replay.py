"""What became of each spool when a ledger was filled again, as scripts and people read it.

Owns: its JSON, CSV and table. Not here: any number. Invariant: what cannot be read or was refused is named below the
table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.replay import ReplayResult
from gembill.spool_replay import SpoolReplay
from gembill_reports.layout.sheet import Sheet, count
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.records import utc
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("source", "events", "added", "dead_letters", "first_at", "last_at", "refused")
_COLUMNS = (
    Column("Spool", text=True, whole=True),
    Column("Events"),
    Column("Added"),
    Column("Dead letters", 50),
    Column("From", 40, text=True, whole=True),
    Column("To", 30, text=True, whole=True),
)


@dataclass(frozen=True, slots=True)
class SpoolReplayView(View):
    """Every spool, and the dead letters that were tried again."""

    spools: Sequence[SpoolReplay]
    letters: ReplayResult

    def json(self) -> dict[str, Any]:
        """A row for each spool, and what cannot be read of it."""
        skipped = sorted(self.letters.skipped.items())
        return {
            "schema_version": SCHEMA_VERSION,
            "spools": [{**_row(each), "damage": list(each.damage)} for each in self.spools],
            "revived_dead_letters": self.letters.revived,
            "skipped": [{"reason": reason, "count": number} for reason, number in skipped],
        }

    def csv(self) -> Csv:
        """A row for each spool."""
        return Csv(_HEADER, map(_row, self.spools))

    def sheets(self) -> Sequence[Sheet]:
        """One table."""
        rows = tuple(_cells(each) for each in self.spools)
        return [Sheet("Kept spools posted again", Table(_COLUMNS, rows, None), tuple(self._notes()))]

    def _notes(self) -> Iterator[str]:
        if self.spools and not any(each.added for each in self.spools):
            yield "The ledger had all of it: nothing changes."
        for each in self.spools:
            if each.refused is not None:
                yield f"Spool {each.source_id:016x} was not posted whole: {each.refused}."
            yield from each.damage
        if self.letters.revived:
            yield f"{self.letters.revived:,} dead letters become records."
        for reason, number in sorted(self.letters.skipped.items()):
            yield f"{number:,} skipped: {reason}."


def _row(spool: SpoolReplay) -> dict[str, Any]:
    return {
        "source": f"{spool.source_id:016x}",
        "events": spool.events,
        "added": spool.added,
        "dead_letters": spool.unfit,
        "first_at": None if spool.first_us is None else utc(spool.first_us),
        "last_at": None if spool.last_us is None else utc(spool.last_us),
        "refused": spool.refused,
    }


def _cells(spool: SpoolReplay) -> tuple[str, ...]:
    row = _row(spool)
    numbers = (count(spool.events), count(spool.added), count(spool.unfit))
    return (row["source"], *numbers, row["first_at"] or MISSING, row["last_at"] or MISSING)
