"""What is wrong with an installation, as scripts and people read it.

Owns: its JSON, CSV and table. Not here: what is looked at (`gembill.doctor`). Invariant: what is wrong comes before
what is only worth knowing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gembill.doctor import Ailment
from gembill_reports.layout.sheet import Sheet
from gembill_reports.layout.tables import Table
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("about", "sentence", "remedy", "note")


@dataclass(frozen=True, slots=True)
class DoctorView(View):
    """All that was found."""

    ailments: Sequence[Ailment]

    def json(self) -> dict[str, Any]:
        """A row for each."""
        return {"schema_version": SCHEMA_VERSION, "findings": [asdict(each) for each in self._ordered()]}

    def csv(self) -> Csv:
        """A row for each."""
        return Csv(_HEADER, map(asdict, self._ordered()))

    def sheets(self) -> Sequence[Sheet]:
        """A sentence for each, with what mends it on the next line."""
        wrong = sum(not each.note for each in self.ailments)
        heading = f"{wrong} things are wrong" if wrong != 1 else "1 thing is wrong"
        notes = [f"{each.about}: {each.sentence}\n  - {each.remedy}" for each in self._ordered()]
        lines = [line for note in notes for line in note.split("\n")]
        return [Sheet(heading if wrong else "Nothing is wrong", Table((), (), None), tuple(lines))]

    def _ordered(self) -> list[Ailment]:
        return sorted(self.ailments, key=lambda each: each.note)
