"""How each spool is, as scripts and people read it.

Owns: its JSON, CSV and table. Not here: looking at spools (`gembill.spool`). Invariant: a spool that waits for a
decision says in a sentence for which.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.spool import SpoolSurvey
from gembill_reports.layout.sheet import Sheet, count
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("source", "state", "unposted", "open_calls", "segments", "damaged_segments", "bytes", "last_place", "reason")
_COLUMNS = (
    Column("Spool", text=True, whole=True),
    Column("State", text=True),
    Column("Unposted"),
    Column("Open calls", 40),
    Column("Segments", 20),
    Column("Damaged", 60),
    Column("Bytes", 30),
)


@dataclass(frozen=True, slots=True)
class SpoolsView(View):
    """The spools of a data folder."""

    spools: Sequence[SpoolSurvey]
    root: str

    def json(self) -> dict[str, Any]:
        """A row for each spool, and the folder they are in."""
        return {"schema_version": SCHEMA_VERSION, "folder": self.root, "spools": list(map(_row, self.spools))}

    def csv(self) -> Csv:
        """A row for each spool."""
        return Csv(_HEADER, map(_row, self.spools))

    def sheets(self) -> Sequence[Sheet]:
        """One table, and why some are left alone."""
        rows = tuple(_cells(each) for each in self.spools)
        return [Sheet(f"Spools in {self.root}", Table(_COLUMNS, rows, None), tuple(self._notes()))]

    def _notes(self) -> Iterator[str]:
        if not self.spools:
            yield "There is none: `gembill proxy` makes one when it starts."
        for each in self.spools:
            if each.reason is not None:
                yield f"{each.path.name}: {each.reason}."
            if each.damaged:
                name = each.path.name
                yield f"{name}: `gembill spool salvage {name}` reads what is left of its damaged segments."


def _row(spool: SpoolSurvey) -> dict[str, Any]:
    return {
        "source": spool.path.name,
        "state": spool.state,
        "unposted": spool.unposted,
        "open_calls": spool.open_calls,
        "segments": spool.segments,
        "damaged_segments": spool.damaged,
        "bytes": spool.bytes,
        "last_place": spool.last,
        "reason": spool.reason,
    }


def _cells(spool: SpoolSurvey) -> tuple[str, ...]:
    numbers = (spool.unposted, spool.open_calls, spool.segments, spool.damaged, spool.bytes)
    return (spool.path.name, spool.state, *map(count, numbers))
