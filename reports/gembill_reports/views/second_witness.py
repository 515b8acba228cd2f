"""Calls that Cloud Monitoring counted beside the ledger's, as scripts and people read them.

Owns: its JSON, CSV and sheet. Not here: the numbers (`gembill_reports.analysis.second_witness`). Invariant: every day
that differs is named, with its credential, operation and number of calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gembill.reconcile.numerals import day_text
from gembill_reports.analysis.second_witness import Witnessed
from gembill_reports.layout.sheet import DEMO, Sheet, count
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_HEADER = ("day", "operation", "credentials", "keys", "google", "ours", "unknown", "past_the_proxy", "unseen")
_NAMED = 20


@dataclass(frozen=True, slots=True)
class SecondWitnessView(View):
    """All days."""

    days: Sequence[Witnessed]
    demo: bool = False  # the ledger holds made-up calls

    def json(self) -> dict[str, Any]:
        """Every day, and the sums."""
        return {
            "schema_version": SCHEMA_VERSION,
            "past_the_proxy": sum(one.past for one in self.days),
            "unseen": sum(one.unseen for one in self.days),
            "days": [_row(one) for one in self.days],
        } | ({"demo_data": True} if self.demo else {})

    def csv(self) -> Csv:
        """A row for each day."""
        rows = (row | {name: "; ".join(row[name]) for name in ("credentials", "keys")} for row in map(_row, self.days))
        return Csv(_HEADER, rows)

    def sheets(self) -> Sequence[Sheet]:
        """The days, and what went past the proxy."""
        columns = (
            *(Column("Day", text=True, whole=True), Column("Operation", text=True), Column("Credential", text=True)),
            *(Column("Key", text=True), Column("Google"), Column("Ours"), Column("Unknown"), Column("Past the proxy")),
        )
        rows = tuple(
            (
                *(day_text(one.day), one.operation, _names(one.credentials), _names(one.keys)),
                *(count(one.google), count(one.ours), count(one.unknown), count(one.past)),
            )
            for one in self.days
        )
        heading = f"{DEMO if self.demo else ''}Calls that Google answered, and ours"
        return [Sheet(heading, Table(columns, rows), tuple(sentences(self.days)))]


def sentences(days: Sequence[Witnessed]) -> list[str]:
    """What went past the proxy: how many calls, of which credential, operation and day."""
    past = [one for one in days if one.past]
    said = [
        f"{count(one.past)} calls went past the proxy: {one.operation} with {_names(one.credentials)} on "
        f"{day_text(one.day)}."
        for one in sorted(past, key=lambda one: -one.past)[:_NAMED]
    ]
    if len(past) > _NAMED:
        said.append(f"And on {len(past) - _NAMED} more days.")
    if unseen := sum(one.unseen for one in days):
        said.append(f"{count(unseen)} calls of ours are not among Google's: of another project, or not there yet.")
    return said or ["No call went past the proxy."]


def _names(names: Sequence[str]) -> str:
    return " or ".join(name or "no key" for name in names) or "(none)"


def _row(one: Witnessed) -> dict[str, Any]:
    return {
        "day": day_text(one.day),
        "operation": one.operation,
        "credentials": list(one.credentials),
        "keys": list(one.keys),
        "google": one.google,
        "ours": one.ours,
        "unknown": one.unknown,
        "past_the_proxy": one.past,
        "unseen": one.unseen,
    }
